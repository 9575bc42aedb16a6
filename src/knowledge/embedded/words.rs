//! What the English language brings along: words that say little, and words that say nearly the same.
//!
//! All of it is general; nothing here belongs to one book or subject.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::terms::stem;

/// Words that say nothing about what is looked for.
static SILENT: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "a an the and or but nor so yet if then than that this these those there here it its itself they them their theirs \
     he him his she her hers we us our ours you your yours i me my mine myself yourself who whom whose which what when \
     where why how is am are was were be been being do does did doing done has have had having can could may might must \
     shall should will would to of in on at by for with without from into onto about as up down out off over under again \
     also just only very too not no yes any some such each every both either neither all s t d ll re ve m don doesn didn \
     isn aren wasn weren won wouldn couldn shouldn hasn haven hadn please ok okay hi hello thanks thank dont doesnt cant \
     let lets while during because since until though although however whether upon per via etc eg ie vs versus get gets \
     got getting go goes going actually really exactly simply basically rather instead one ones something anything \
     someone anyone everything nothing else"
        .split_whitespace()
        .collect()
});

/// Words that say little: they are in questions on any subject.
static QUIET: LazyLock<HashSet<String>> = LazyLock::new(|| {
    "use used using work make made need mean means meaning difference different example way thing kind type sort happen \
     want give tell say explain describe define definition help know understand learn book chapter page section module \
     lesson text course week many much more most less good better best bad possible important main name called call \
     actual really useful take come look see like show find put keep try think ask answer question detail information \
     always never often sometimes usually first second third next last new old same other another own several few \
     able right wrong reason purpose role point idea concept topic term word part between two three"
        .split_whitespace()
        .map(stem)
        .collect()
});

/// Words that refer to what was said before.
static BACKWARD: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "it its that this these those they them their he she him her one ones same other others another else there then \
     former latter above such"
        .split_whitespace()
        .collect()
});

/// Groups of words people use for one another. The everyday word and the textbook's are in one group.
const ALIKE: &str = "
check verify validate test inspect examine confirm ensure validation verification
buy purchase acquire
rent lease hire
cheap inexpensive affordable economical
cost price expense expensive fee budget
money budget dollar
fast quick rapid speedy
speed velocity rate pace
slow delay lag latency
wait delay pause sleep
stop cancel abort halt terminate interrupt
begin start launch initiate
end finish complete terminate conclude
result outcome output
picture image photo figure
draw plot render sketch
diagram graph chart picture
show display visualize
wrong incorrect error mistake fault
problem issue trouble fault
fail failure crash break
broken disconnected damaged
fix repair solve resolve solution remedy
bug defect error
cause reason source
symptom sign
build construct create assemble make
create generate produce
delete remove erase
change modify alter adjust edit
update refresh
send transmit publish emit
receive get subscribe
message packet
talk communicate communication speak
exchange communicate transfer
connect link attach join
bridge connection integration
integrate combine merge
install setup installation
setup configure configuration
setting parameter option configuration
variable parameter
program software application
code script source
tidy clean readable neat
grade graded assess assessment score mark rubric evaluate
points pts marks score
exam test quiz assessment
homework assignment exercise
task assignment job
project capstone assignment
final capstone last
submit deliver hand deliverable submission
require requirement need necessary
must requirement required
goal objective aim purpose
task goal
progress feedback
partial incomplete
request call
reply response answer
ask request query
question query prompt
big large huge massive
small tiny little compact
long lengthy
near close
far distant distance
distance range far
quantity amount number
measure measurement measuring sense
sensor detector
detect sense notice recognize identify
find locate search detect
recognize identify
see vision view visual
eye vision camera sight
ear hearing audio
hear listen audio
sound audio noise
voice speech spoken
speech spoken utterance
word text
write author
read parse
translate convert transform
turn rotate spin rotation
spin rotate turn
upright balance balanced vertical stable
tilt lean incline
balance stability equilibrium
stable steady stability
fall tip tumble topple
walk gait step locomotion
walk walking stride
foot feet leg
leg limb
arm limb manipulator
hand gripper grasp
hold grasp grip
grab grasp grip pick
pick grasp select
gripper effector hand
muscle actuator motor
motor actuator drive
engine motor
joint hinge
bone link
body torso
torso trunk body
head skull
weight mass
heavy mass weight
force torque
push force
power energy
battery energy
electricity current voltage power
hit collide collision
contact touch collision
touch tactile contact
ball sphere
box cube
shape geometry form
model mesh
appearance look visual
beautiful attractive pretty visual
float hover
explode explosion explosive exploded
shake vibrate oscillate wobble
slide slip skid
slippery friction
rub friction
space room
place location position
location position pose coordinate
where location position
direction orientation heading
angle rotation
map mapping
route path trajectory
path trajectory route
navigate navigation drive
avoid prevent
obstacle barrier
obey comply
rule law
safe safety secure
danger dangerous hazard risk
risk danger
hurt injure harm
person human people
people human person user
user operator person
child kid
robot machine
machine device computer
computer machine workstation pc
workstation desktop pc
laptop computer
processor cpu
graphics gpu
memory ram
screen display monitor
terminal console shell
shell command terminal
command instruction
order instruction command sequence
sequence order series
step stage phase
loop cycle
cycle loop period
frequency rate
timer clock interval
time duration
period duration interval
schedule timing
regular periodic
repeat loop
store save keep
save store persist
data information
file document
folder directory
list array
table grid
fake simulate mock synthetic
simulate simulation virtual
simulated virtual synthetic
artificial synthetic
virtual digital simulated
game play
scene world environment
world environment scene
real physical actual
reality real
train training learn
practice exercise training
teach train
learn training
guess estimate predict
estimate approximate
predict forecast
plan planning
decide decision choose
choose select pick
option choice alternative
compare comparison contrast difference
advantage benefit pro
benefit advantage
disadvantage drawback limitation
limit limitation bound constraint
limitation constraint
maximum limit most
minimum least lowest
accurate accuracy precise precision
precise exact accurate
quality accuracy
correct right accurate
noise disturbance
filter smooth
smooth filter
average mean
increase raise grow
decrease reduce lower
reduce decrease lower minimize
improve enhance optimize
optimize tune improve
tune adjust calibrate
calibrate calibration
overload busy overloaded
hang freeze stuck
old legacy
common typical frequent usual
rare unusual
hard difficult challenging challenge
difficult hard challenge
easy simple
simple basic
complex complicated
basic fundamental
important crucial critical key
essential crucial necessary
overview summary introduction
summary recap
introduction intro
history origin
example sample instance
instance example object
purpose goal
structure architecture organization
component part element piece
part component piece
layer level
layer tier
kind type category
category class
group cluster set
different distinct
same identical equal
alike similar
similar analogous
opposite inverse reverse
inverse reverse backward
direct forward
calculate compute computation
work compute
compute calculate
formula equation
equation formula
math mathematics mathematical
number value
value number
dimension size
size dimension
height altitude
depth distance
width breadth
light lighting illumination
dark shadow
shadow shade
color colour hue
colorless monochrome
surface face
ground floor terrain
floor ground
wall barrier
door gate entrance
kitchen room
tool utility
utility tool
library package module
package bundle
download fetch
upload send
online internet web
network connection
wire cable
wireless wifi radio
remote distant
local nearby
address url
password credential secret
permission access right
allow permit enable
enable activate
disable deactivate
hide conceal
open launch
close shut
inside internal within
outside external
internal inner inside
external outer
automatic autonomous
autonomous independent
independent standalone
depend rely dependency
relationship relation
parent ancestor
child descendant
tree hierarchy
hierarchy tree
chain sequence
frame coordinate
node process
process procedure
procedure method
method approach technique
technique method
approach method strategy
strategy approach policy
principle law
theory concept
law rule
standard specification
format layout
description specification
language text
sentence phrase
meaning semantics
sense meaning
understand comprehend interpret
interpret understand
transcribe transcription
record capture
capture record collect
collect gather
gather collect
sample measurement
debug diagnose troubleshoot
diagnose debug identify
log record
monitor observe watch
watch observe
observe watch
control govern regulate
controller regulator
govern control
stiffness rigid
rigid stiff
soft flexible
flexible adaptable
strong powerful
weak fragile
powerful strong
efficient economical
efficiency performance
performance speed
expensive costly
own buy
year annual
month monthly
day daily
hour duration
minute duration
middleware software
plumbing pipe
independent separate
separate distinct
share common
together joint
alone single
single one
multiple several
deploy deployment install
run execute
execute run perform
perform execute
behave behavior
behavior action
action act
act perform
react response
reflex reaction
reaction response
emergency urgent
urgent immediate
immediate instant
instant moment
moment instant
torque moment
";

/// For each stem the stems that say nearly the same.
static NEIGHBOURS: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut neighbours: HashMap<String, Vec<String>> = HashMap::new();
    for group in ALIKE.lines() {
        let stems: Vec<String> = group.split_whitespace().map(stem).collect();
        for word in &stems {
            let known = neighbours.entry(word.clone()).or_default();
            for other in &stems {
                if other != word && !known.contains(other) {
                    known.push(other.clone());
                }
            }
        }
    }
    neighbours
});

/// Whether a word (in lower case) says nothing.
pub(super) fn is_silent(form: &str) -> bool {
    SILENT.contains(form)
}

/// Whether a stem says little.
pub(super) fn is_quiet(stem: &str) -> bool {
    QUIET.contains(stem)
}

/// Whether a word (in lower case) refers to what was said before.
pub(super) fn points_back(form: &str) -> bool {
    BACKWARD.contains(form)
}

/// Stems that say nearly the same as this one.
pub(super) fn alike(stem: &str) -> &'static [String] {
    NEIGHBOURS.get(stem).map_or(&[], Vec::as_slice)
}

/// Whether a word is good English here, so that it is no slip of the pen for another.
pub(super) fn is_english(form: &str, stem: &str) -> bool {
    is_silent(form) || is_quiet(stem) || NEIGHBOURS.contains_key(stem)
}

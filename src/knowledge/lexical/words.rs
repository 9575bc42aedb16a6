//! What the English language brings along: words that say little, and words that say nearly the same.
//!
//! All of it is general; nothing here belongs to one book or subject.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::terms::stem;
use super::typos::Spellings;

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
static QUIET_WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "use used using work make made need mean means meaning difference different example way thing kind type sort happen \
     want give tell say explain describe define definition help know understand learn book chapter page section module \
     lesson text course week many much more most less good better best bad possible important main name called call \
     actual really useful take come look see like show find put keep try think ask answer question detail information \
     always never often sometimes usually first second third next last new old same other another own several few \
     able right wrong reason purpose role point idea concept topic term word part between two three consist comprise \
     involve matter differ relate refer exist occur deal belong seem become suppose contain include list compare contrast \
     summarize summary outline discuss illustrate clarify elaborate mention cover brief overview recommend advise \
     suggest stand typical common general specific certain various particular"
        .split_whitespace()
        .collect()
});

/// Their stems.
static QUIET: LazyLock<HashSet<String>> = LazyLock::new(|| QUIET_WORDS.iter().map(|word| stem(word)).collect());

/// Words that refer to what was said before.
static BACKWARD: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "it its that this these those they them their he she him her one ones same other others another else there then \
     former latter above such"
        .split_whitespace()
        .collect()
});

/// Groups of words people use for one another. The everyday word and the textbook's are in one group.
const ALIKE: &str = include_str!("alike.txt");

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

/// All the words of English that are known here, to tell slips of the pen for them.
static ENGLISH: LazyLock<(Vec<String>, Spellings)> = LazyLock::new(|| {
    let groups = ALIKE.lines().flat_map(str::split_whitespace);
    let mut words: Vec<String> =
        SILENT.iter().chain(QUIET_WORDS.iter()).copied().chain(groups).map(str::to_owned).collect();
    words.sort_unstable();
    words.dedup();
    let mut spellings = Spellings::default();
    for (number, word) in words.iter().enumerate() {
        spellings.add(word, u32::try_from(number).expect("there are a few thousand words"));
    }
    (words, spellings)
});

/// The words of English that are known here and that somebody may have meant.
pub(super) fn meant(form: &str) -> impl Iterator<Item = &'static str> {
    let (words, spellings) = &*ENGLISH;
    spellings.near(form).0.into_iter().map(|number| words[number as usize].as_str())
}

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

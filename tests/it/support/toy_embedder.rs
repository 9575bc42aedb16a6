//! A model of meaning small enough to read: the first numbers of a vector count the words of ideas, the others are what
//! is left of the words themselves.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use chatkit_gateway::embedding::{Embedder, EmbeddingError, EmbeddingSpace, Role, TaskStyle};

/// Words of one idea.
const IDEAS: &[&str] = &[
    "motor actuator drive muscle joint hinge knee",
    "camera vision picture image see eye lens",
    "battery charge power energy volt run dry",
    "gyroscope drift heading compass turn rotate wander",
    "bread flour oven bake cook recipe egg",
    "law court judge contract lawyer sue",
    "medicine doctor fever pill headache",
];

/// So many numbers stand for words of no idea.
const OTHERS: usize = 64;
/// And count so much.
const OTHERS_SHARE: f32 = 0.2;

/// The model.
pub(crate) struct ToyEmbedder {
    space: EmbeddingSpace,
    pub(crate) away: AtomicBool,
    /// So many texts become vectors; after that it is as if it were away.
    pub(crate) texts_left: AtomicUsize,
    /// Whether each number stands for the idea beside its own: what one means by a number, another does not.
    is_turned: bool,
}

impl ToyEmbedder {
    /// Models of other names understand the same, and are still other spaces.
    pub(crate) fn named(model: &str) -> Self {
        let dimensions = u32::try_from(IDEAS.len() + OTHERS).unwrap();
        let space = EmbeddingSpace { model: model.to_owned(), dimensions, task_style: TaskStyle::None };
        let texts_left = AtomicUsize::new(usize::MAX);
        Self { space, away: AtomicBool::new(false), texts_left, is_turned: false }
    }

    /// A model to which one thing lies where for the others another does.
    pub(crate) fn turned(model: &str) -> Self {
        Self { is_turned: true, ..Self::named(model) }
    }
}

#[async_trait]
impl Embedder for ToyEmbedder {
    async fn embed(&self, texts: &[String], _: Role) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(EmbeddingError::Away("the toy is in its box".to_owned()));
        }
        let enough = |left: usize| if left == usize::MAX { Some(left) } else { left.checked_sub(texts.len()) };
        if self.texts_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, enough).is_err() {
            return Err(EmbeddingError::Away("the toy is worn out".to_owned()));
        }
        let mut vectors: Vec<Vec<f32>> = texts.iter().map(|text| vector(text)).collect();
        for vector in vectors.iter_mut().filter(|_| self.is_turned) {
            vector[..IDEAS.len()].rotate_right(1);
        }
        Ok(vectors)
    }

    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }
}

fn vector(text: &str) -> Vec<f32> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let of_idea = |idea: &&str| {
        let own: Vec<&str> = idea.split(' ').collect();
        let is_of = |word: &&&str| own.iter().any(|own| word.strip_prefix(own).is_some_and(|rest| rest.len() <= 2));
        words.iter().filter(is_of).count() as f32
    };
    let mut vector: Vec<f32> = IDEAS.iter().map(of_idea).collect();
    vector.resize(IDEAS.len() + OTHERS, 0.0);
    for word in words {
        let hash = word.bytes().fold(7_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        let share = if hash & 1 == 0 { OTHERS_SHARE } else { -OTHERS_SHARE };
        vector[IDEAS.len() + (hash >> 1) % OTHERS] += share;
    }
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt().max(f32::EPSILON);
    vector.iter().map(|number| number / length).collect()
}

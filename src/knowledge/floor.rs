//! How near is near enough: what that means differs from model to model and from book to book, so it is learned.
//!
//! Questions about other things show how near a passage comes by chance; the book's own headings show how near one comes
//! that is meant. Between the two lies the floor.

use std::collections::HashSet;
use std::future::Future;

use super::{KnowledgeError, Passage};
use crate::embedding::{Embedder, EmbeddingError, Role};

/// Headings of the book that are asked for.
const OWN_QUESTIONS_MAX: usize = 64;
/// With fewer of them than this nothing can be learned.
const OWN_QUESTIONS_MIN: usize = 4;
/// The share of questions about other things that may pass the floor.
const STRANGERS_SHARE: f32 = 0.02;
/// The share of the book's own questions that may fall below it.
const OWN_SHARE: f32 = 0.1;
/// Between the two the floor lies so far from the strangers: the book's own headings come nearer than readers do, who
/// have words of their own.
const TOWARDS_OWN: f32 = 0.1;

/// Questions that hardly any book answers together, so that for every book nearly all of them are about other things.
const ELSEWHERE: &[&str] = &[
    "How long should I boil eggs for a picnic?",
    "Which flour is best for sourdough bread?",
    "How do I keep basil alive on a window sill?",
    "What can I cook with leftover rice and two carrots?",
    "Why did my cheesecake crack on top?",
    "How much salt goes into a brine for olives?",
    "Which spices belong in a Moroccan lamb stew?",
    "How do I get red wine out of a white tablecloth?",
    "What should I pack for a week of hiking in Norway?",
    "How early should I be at the airport for a domestic flight?",
    "Which train goes from Lisbon to Porto at night?",
    "Is tap water safe to drink on the islands?",
    "How do I change a flat tyre on a bicycle?",
    "When does a car need new brake pads?",
    "How often should I water a cactus?",
    "Why are the leaves of my tomato plants turning yellow?",
    "When is the best time to prune apple trees?",
    "How do I teach a puppy not to bite?",
    "What do hedgehogs eat in autumn?",
    "How long do goldfish live?",
    "Which birds migrate to Africa for the winter?",
    "What is the fastest land animal?",
    "How do bees find their way home?",
    "Which mushrooms in the forest are poisonous?",
    "What are the early symptoms of measles?",
    "How many hours of sleep does a teenager need?",
    "Which vitamins are in a kiwi?",
    "What helps against a sore throat?",
    "Can I take ibuprofen together with aspirin?",
    "How is high blood pressure treated?",
    "What does a dermatologist do about acne?",
    "How long is a broken wrist in a cast?",
    "What are the side effects of antibiotics?",
    "How is type 2 diabetes diagnosed?",
    "How much notice must a landlord give before raising the rent?",
    "What happens to a house when somebody dies without a will?",
    "Can an employer refuse parental leave?",
    "What is the difference between a felony and a misdemeanour?",
    "How do I object to a parking fine?",
    "When does a copyright expire?",
    "Which documents are needed to get married abroad?",
    "How is child support calculated after a divorce?",
    "How do I register a small business as a sole trader?",
    "Which expenses can a freelancer deduct from income tax?",
    "How does compound interest work on a savings account?",
    "What is the difference between a bond and a share?",
    "Should I fix the rate of my mortgage for ten years?",
    "How is inflation measured?",
    "Who won the football world cup in 1998?",
    "How many players are in a volleyball team?",
    "What is the offside rule?",
    "How do I train for a first half marathon?",
    "Which grip is used for a backhand in table tennis?",
    "How is a tie decided in chess?",
    "Who was the first emperor of Rome?",
    "What caused the French Revolution?",
    "When did the Berlin Wall come down?",
    "Why was the Suez Canal built?",
    "Which treaty ended the First World War?",
    "Who ruled Egypt when the pyramids of Giza were built?",
    "How did the plague reach Europe in the Middle Ages?",
    "What did the Vikings trade with Constantinople?",
    "Who wrote the novel about the white whale?",
    "What is a sonnet?",
    "Which composer wrote nine symphonies and went deaf?",
    "How do I tune a ukulele?",
    "What is the difference between a fresco and an oil painting?",
    "Which films did Akira Kurosawa direct?",
    "Who plays the detective in that series from Copenhagen?",
    "How do I knit a heel for a sock?",
    "Which needle do I need to sew denim?",
    "How do I remove wallpaper without damaging the plaster?",
    "What colour goes well with a dark green sofa?",
    "How do I stop a tap from dripping?",
    "How thick should the insulation of an attic be?",
    "What is the capital of Mongolia?",
    "How deep is Lake Baikal?",
    "Why do the tides change with the moon?",
    "How are volcanoes formed?",
    "What is the weather like in Patagonia in March?",
    "How old is the universe?",
    "Which planets have rings?",
    "Why is the sky blue?",
    "What is the boiling point of ethanol?",
    "How does a catalyst speed up a reaction?",
    "What is the area under a parabola?",
    "How do I prove that the square root of two is irrational?",
    "What did Kant mean by the categorical imperative?",
    "Which festivals do Sikhs celebrate?",
    "What does the fourth noble truth of Buddhism say?",
    "How do I conjugate the verb to be in Spanish?",
    "What is the plural of octopus?",
    "Which wedding vows are traditional in Scotland?",
    "What present suits a colleague who retires?",
    "How do I write a letter of complaint to an airline?",
    "How do I center a div with CSS flexbox?",
    "How do I undo the last commit in git?",
    "Which SQL clause removes duplicate rows?",
    "How do I sort a list of tuples in Haskell?",
    "How do I make a pivot table in a spreadsheet?",
    "Why does my WordPress theme not load its stylesheet?",
    "How do I write a macro for an Excel invoice?",
    "What does a static constructor do in C#?",
    "How do I publish an iPhone app in the store?",
];

/// Questions that the book answers, made of its own headings: evenly spread over the whole, each once.
pub(super) fn own_questions<'a>(passages: impl Iterator<Item = &'a Passage>) -> Vec<String> {
    let mut seen = HashSet::new();
    let headings: Vec<&str> = passages
        .map(|passage| passage.heading.trim())
        .filter(|heading| !heading.is_empty() && seen.insert(*heading))
        .collect();
    let step = headings.len().div_ceil(OWN_QUESTIONS_MAX).max(1);
    headings.into_iter().step_by(step).map(|heading| format!("What does the book say about {heading}?")).collect()
}

/// The floor of a collection; none when there is too little to learn from.
///
/// `own` are [`own_questions`]; `nearest` gives for each of the vectors it is handed the cosine of the nearest passage.
pub(super) async fn learn<F>(
    embedder: &dyn Embedder,
    own: Vec<String>,
    nearest: impl FnOnce(Vec<Vec<f32>>) -> F,
) -> Result<Option<f32>, KnowledgeError>
where
    F: Future<Output = Result<Vec<f32>, KnowledgeError>>,
{
    if own.len() < OWN_QUESTIONS_MIN {
        return Ok(None);
    }
    let own_count = own.len();
    let mut questions = own;
    questions.extend(ELSEWHERE.iter().map(|question| (*question).to_owned()));
    let vectors = embedder.embed(&questions, Role::Query).await?;
    let cosines = nearest(vectors).await?;
    if cosines.len() != questions.len() {
        let told = format!("{} vectors for {} questions", cosines.len(), questions.len());
        return Err(EmbeddingError::Garbled(told).into());
    }
    let (own, elsewhere) = cosines.split_at(own_count);
    Ok(learned(own, elsewhere))
}

/// The floor between the cosines of questions that the book answers and of those about other things.
///
/// Hardly any of the others pass it. Where that would cost too many of the book's own, it lies where most of those pass.
fn learned(own: &[f32], elsewhere: &[f32]) -> Option<f32> {
    let strangers = quantile(elsewhere, 1.0 - STRANGERS_SHARE)?;
    let own = quantile(own, OWN_SHARE)?;
    let floor = if own > strangers { strangers + TOWARDS_OWN * (own - strangers) } else { own };
    Some(floor).filter(|floor| floor.is_finite())
}

/// The value below which so great a share of the values lies.
fn quantile(values: &[f32], share: f32) -> Option<f32> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a hundred values, and a share from 0 to 1"
    )]
    let place = (share * sorted.len() as f32) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::embedding::{EmbeddingSpace, TaskStyle};

    fn passage(heading: &str) -> Passage {
        Passage {
            id: String::new(),
            path: String::new(),
            title: String::new(),
            heading: heading.to_owned(),
            heading_path: Vec::new(),
            url: String::new(),
            module: None,
            week: None,
            position: 0,
            text: String::new(),
        }
    }

    #[test]
    fn questions_about_other_things_are_many_and_each_is_asked_once() {
        assert!(ELSEWHERE.len() >= 100 && ELSEWHERE.iter().collect::<BTreeSet<_>>().len() == ELSEWHERE.len());
    }

    #[test]
    fn own_questions_are_spread_over_the_book_and_few() {
        let passages: Vec<Passage> = (0..1000).map(|number| passage(&format!("Heading {}", number / 2))).collect();
        let questions = own_questions(passages.iter());
        assert!((OWN_QUESTIONS_MAX / 2..=OWN_QUESTIONS_MAX).contains(&questions.len()), "{}", questions.len());
        assert_eq!(questions[0], "What does the book say about Heading 0?");
        assert!(questions.last().unwrap().contains("Heading 49"), "{questions:?}");
        assert!(own_questions([passage(" "), passage("")].iter()).is_empty());
    }

    #[test]
    fn the_floor_lies_between_what_is_meant_and_what_is_near_by_chance() {
        let own: Vec<f32> = (0..64).map(|number| 0.6 + 0.004 * number as f32).collect();
        let elsewhere: Vec<f32> = (0..100).map(|number| 0.2 + 0.002 * number as f32).collect();
        let floor = learned(&own, &elsewhere).unwrap();
        assert!(elsewhere.iter().filter(|cosine| **cosine >= floor).count() <= 4, "{floor}");
        assert!(own.iter().all(|cosine| *cosine >= floor));
    }

    #[test]
    fn where_the_two_overlap_most_of_the_book_s_own_questions_pass() {
        let own: Vec<f32> = (0..50).map(|number| 0.3 + 0.01 * number as f32).collect();
        let elsewhere: Vec<f32> = (0..100).map(|number| 0.2 + 0.004 * number as f32).collect();
        let floor = learned(&own, &elsewhere).unwrap();
        assert!(own.iter().filter(|cosine| **cosine >= floor).count() >= 45, "{floor}");
        assert_eq!(learned(&[], &elsewhere), None);
    }

    struct Counting(EmbeddingSpace, Mutex<Vec<(usize, Role)>>);

    #[async_trait]
    impl Embedder for Counting {
        async fn embed(&self, texts: &[String], role: Role) -> Result<Vec<Vec<f32>>, EmbeddingError> {
            self.1.lock().unwrap().push((texts.len(), role));
            Ok(texts
                .iter()
                .map(|text| vec![if text.starts_with("What does the book say") { 0.8 } else { 0.2 }])
                .collect())
        }

        fn space(&self) -> &EmbeddingSpace {
            &self.0
        }
    }

    #[tokio::test]
    async fn everything_is_asked_at_once_as_questions() {
        let space = EmbeddingSpace { model: "m".into(), dimensions: 1, task_style: TaskStyle::None };
        let embedder = Counting(space, Mutex::default());
        let own: Vec<String> = ["a", "b", "c", "d"].map(|of| format!("What does the book say about {of}?")).into();
        let nearest = |asked: Vec<Vec<f32>>| async move { Ok(asked.into_iter().map(|vector| vector[0]).collect()) };
        let floor = learn(&embedder, own.clone(), nearest).await.unwrap().unwrap();
        assert!(floor > 0.2 && floor < 0.3, "{floor}");
        assert_eq!(*embedder.1.lock().unwrap(), [(ELSEWHERE.len() + 4, Role::Query)]);
        assert_eq!(learn(&embedder, own[1..].to_vec(), nearest).await.unwrap(), None, "too little to learn from");
        let short = |_| async { Ok(Vec::new()) };
        assert!(matches!(
            learn(&embedder, own, short).await,
            Err(KnowledgeError::Embedding(EmbeddingError::Garbled(_)))
        ));
    }
}

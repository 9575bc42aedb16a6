//! Bodies that nobody meant to send: a request with pieces missing or exchanged, and plain noise.

use chatkit_protocol::{Envelope, Malformed, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::strategies::{FreeForm, json, request};

/// What becomes of a member or an element.
#[derive(Clone, Debug)]
pub(crate) enum Mutation {
    Delete,
    Replace(Value),
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn a_request_with_members_deleted_or_replaced_is_read_or_explained(
        asked in request(FreeForm::WithNulls),
        mutations in vec((any::<Index>(), mutation()), 1..4),
    ) {
        let mut body = serde_json::to_value(&asked).unwrap();
        change(&mut body, mutations);
        check(body.to_string().as_bytes())?;
    }

    #[test]
    fn a_request_with_bytes_exchanged_is_read_or_explained(
        asked in request(FreeForm::WithNulls),
        exchanged in vec((any::<Index>(), any::<u8>()), 1..4),
        end in any::<Index>(),
    ) {
        let mut body = serde_json::to_vec(&asked).unwrap();
        for (place, byte) in exchanged {
            let place = place.index(body.len());
            body[place] = byte;
        }
        check(&body)?;
        check(&body[..end.index(body.len())])?;
    }

    #[test]
    fn noise_is_explained(body in vec(any::<u8>(), 0..200)) {
        check(&body)?;
    }
}

/// Whatever is accepted can be printed and read again; whatever is refused is explained in plain words.
fn check(body: &[u8]) -> Result<(), TestCaseError> {
    match Envelope::parse(body) {
        Ok(asked) => {
            let printed = serde_json::to_vec(&asked).unwrap();
            prop_assert_eq!(Envelope::parse(&printed).unwrap(), asked);
        }
        Err(wrong) => explains(&wrong)?,
    }
    Ok(())
}

fn explains(wrong: &Malformed) -> Result<(), TestCaseError> {
    let Malformed { member, problem } = wrong;
    let root = member.split(['.', '[']).next().unwrap_or_default();
    prop_assert!(["body", "type", "metadata", "params"].contains(&root), "{}", wrong);
    let plain = ["must ", "is ", "ends ", "begins ", "goes ", "holds "].iter().any(|words| problem.starts_with(words));
    prop_assert!(plain, "{}", wrong);
    for jargon in ["sequence", " map", "struct ", "variant", "integer `", "floating point", "invalid type", "expected"]
    {
        prop_assert!(!problem.contains(jargon), "{}", wrong);
    }
    Ok(())
}

pub(crate) fn mutation() -> impl Strategy<Value = Mutation> {
    let shapes = prop::sample::select(vec![
        Value::Null,
        Value::from(-1),
        Value::from(5.5),
        Value::from(true),
        Value::from("x"),
        Value::Array(Vec::new()),
        Value::Object(serde_json::Map::new()),
    ]);
    prop_oneof![
        Just(Mutation::Delete),
        shapes.prop_map(Mutation::Replace),
        json(FreeForm::WithNulls).prop_map(Mutation::Replace)
    ]
}

/// Makes the mutations, each somewhere in what the ones before left.
pub(crate) fn change(json: &mut Value, mutations: Vec<(Index, Mutation)>) {
    for (place, mutation) in mutations {
        let mut places = Vec::new();
        collect_places(json, &mut Vec::new(), &mut places);
        if !places.is_empty() {
            let place = &places[place.index(places.len())];
            mutate(json, place, mutation);
        }
    }
}

/// One step on the way to a member or an element.
#[derive(Clone, Debug)]
enum Step {
    Member(String),
    Element(usize),
}

fn collect_places(json: &Value, here: &mut Vec<Step>, places: &mut Vec<Vec<Step>>) {
    let steps: Vec<(Step, &Value)> = match json {
        Value::Object(members) => members.iter().map(|(name, value)| (Step::Member(name.clone()), value)).collect(),
        Value::Array(values) => values.iter().enumerate().map(|(place, value)| (Step::Element(place), value)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
    };
    for (step, value) in steps {
        here.push(step);
        places.push(here.clone());
        collect_places(value, here, places);
        here.pop();
    }
}

fn mutate(json: &mut Value, place: &[Step], mutation: Mutation) {
    let (last, way) = place.split_last().expect("a place is at least one step deep");
    let parent = way.iter().fold(json, |json, step| match step {
        Step::Member(name) => &mut json[name.as_str()],
        Step::Element(index) => &mut json[*index],
    });
    match (parent, last, mutation) {
        (Value::Object(members), Step::Member(name), Mutation::Delete) => {
            members.shift_remove(name);
        }
        (Value::Array(values), Step::Element(index), Mutation::Delete) => {
            values.remove(*index);
        }
        (parent, Step::Member(name), Mutation::Replace(value)) => parent[name.as_str()] = value,
        (parent, Step::Element(index), Mutation::Replace(value)) => parent[*index] = value,
        (parent, last, Mutation::Delete) => panic!("{last:?} is not in {parent}"),
    }
}

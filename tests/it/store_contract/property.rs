//! However a turn saves, checks and deletes: the list is that of a plain model, in both homes.

use chatkit_gateway::store::{Lease, Opening, Write};
use chatkit_protocol::Order;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::scene::{Home, Scene, ada, answer, asked, at};

#[derive(Clone, Copy, Debug)]
enum Act {
    Save(u8),
    Check(u8),
    Delete(u8),
}

/// The acts of one call, and whether the turn ends with it.
type Call = (Vec<Act>, bool);

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let act = prop_oneof![
        3 => (0..5u8).prop_map(Act::Save),
        3 => (0..5u8).prop_map(Act::Check),
        1 => (0..5u8).prop_map(Act::Delete),
    ];
    prop::collection::vec((prop::collection::vec(act, 0..6), prop::bool::weighted(0.2)), 1..12)
}

#[derive(Debug)]
struct Kept {
    id: u8,
    text: String,
    in_progress: bool,
}

/// The contract, said as plainly as possible: one write after the other, on a list.
#[derive(Default)]
struct Model(Vec<Kept>);

impl Model {
    fn act(&mut self, act: Act, text: &str) {
        match act {
            Act::Delete(id) => self.0.retain(|kept| kept.id != id),
            Act::Save(id) => {
                let there = self.0.iter().position(|kept| kept.id == id);
                match there {
                    Some(place) if !self.0[place].in_progress => text.clone_into(&mut self.0[place].text),
                    _ => {
                        self.0.retain(|kept| kept.id != id);
                        self.0.push(Kept { id, text: text.to_owned(), in_progress: false });
                    }
                }
            }
            Act::Check(id) => match self.0.iter_mut().find(|kept| kept.id == id) {
                Some(kept) => text.clone_into(&mut kept.text),
                None => self.0.push(Kept { id, text: text.to_owned(), in_progress: true }),
            },
        }
    }

    fn end(&mut self) {
        self.0.iter_mut().for_each(|kept| kept.in_progress = false);
    }
}

async fn check(scene: &Scene, thread: &str, calls: &[Call]) {
    let mut model = Model::default();
    scene.thread(thread, &[]).await;
    scene.begin(thread, "turn", Opening::Resume).await.unwrap();
    for (number, (acts, ends)) in calls.iter().enumerate() {
        let mut writes = Vec::new();
        for (step, act) in acts.iter().enumerate() {
            let text = format!("{number}.{step}");
            model.act(*act, &text);
            writes.push(match act {
                Act::Save(id) => Write::Save(answer(thread, &id.to_string(), &text)),
                Act::Check(id) => Write::Checkpoint(answer(thread, &id.to_string(), &text)),
                Act::Delete(id) => Write::Delete(id.to_string().into()),
            });
        }
        let lease = if *ends { Lease::Release } else { Lease::Until(at(60)) };
        scene.write(thread, "turn", &writes, lease).await.unwrap();
        if *ends {
            model.end();
            let begun = scene.begin(thread, "turn", Opening::Resume).await.unwrap();
            assert_eq!(begun.history.len(), model.0.len());
        }
        let all = asked(200, Order::Asc, None);
        let listed = scene.store.items(&ada(), &thread.into(), &all).await.unwrap().data;
        let expected: Vec<_> = model.0.iter().map(|kept| answer(thread, &kept.id.to_string(), &kept.text)).collect();
        assert_eq!(listed, expected, "after call {number}");
    }
}

fn hold(cases: u32, home: impl Future<Output = Home>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scene = Scene::on(runtime.block_on(home));
    let count = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let held = runner.run(&calls(), |calls| {
        count.set(count.get() + 1);
        runtime.block_on(check(&scene, &format!("t{}", count.get()), &calls));
        Ok(())
    });
    if let Err(broken) = held {
        panic!("{broken}");
    }
}

#[test]
fn any_writes_give_the_list_of_the_model_on_sqlite() {
    hold(128, Home::sqlite());
}

#[test]
fn any_writes_give_the_list_of_the_model_on_postgres() {
    hold(48, Home::postgres());
}

//! However beginning, writing and signing in follow each other: nothing is lost, and nobody sees both.

use std::collections::BTreeMap;

use chatkit_gateway::identity::OwnerId;
use chatkit_gateway::store::{Lease, Opening, StoreError, TurnKey, TurnThread, Write};
use chatkit_protocol::{Order, ThreadId};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::scene::{Home, Scene, answer, asked, at, begin, question, record};

const USERS: u8 = 2;
const THREADS: u8 = 3;

#[derive(Clone, Copy, Debug)]
enum Act {
    /// The visitor, or with a number a user, begins a turn: in a new thread when there is none of that name.
    Begin(u8, Option<u8>),
    /// The turn that runs in a thread writes, under the name of whoever began it.
    Write(u8),
    /// And ends.
    Finish(u8),
    /// The visitor signs in as a user.
    SignIn(u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let who = prop_oneof![3 => Just(None), 1 => (0..USERS).prop_map(Some)];
    let act = prop_oneof![
        3 => (0..THREADS, who).prop_map(|(thread, who)| Act::Begin(thread, who)),
        4 => (0..THREADS).prop_map(Act::Write),
        2 => (0..THREADS).prop_map(Act::Finish),
        1 => (0..USERS).prop_map(Act::SignIn),
    ];
    prop::collection::vec(act, 1..24)
}

/// What the contract says, as plainly as possible.
#[derive(Default)]
struct Model {
    adopter: Option<u8>,
    threads: BTreeMap<u8, Kept>,
}

struct Kept {
    owner: Option<u8>,
    /// The turn that runs, and whose it was when it began.
    running: Option<(String, Option<u8>)>,
    items: Vec<(String, String)>,
}

struct Case<'a> {
    scene: &'a Scene,
    /// Sets its owners and threads apart from those of other cases.
    number: u32,
    model: Model,
    steps: u32,
}

impl Case<'_> {
    fn owner(&self, who: Option<u8>) -> OwnerId {
        match who {
            None => OwnerId::visitor(&self.number.to_string()),
            Some(user) => OwnerId::user(&format!("{}-{user}", self.number)),
        }
    }

    fn name(&self, thread: u8) -> String {
        format!("t{}-{thread}", self.number)
    }

    async fn act(&mut self, act: Act) {
        self.steps += 1;
        match act {
            Act::Begin(thread, who) => self.begin(thread, who).await,
            Act::Write(thread) => self.write(thread, false).await,
            Act::Finish(thread) => self.write(thread, true).await,
            Act::SignIn(user) => {
                let adopted = self.scene.store.adopt(&self.owner(None), &self.owner(Some(user)), at(0)).await.unwrap();
                let moved = self.model.threads.values().filter(|kept| kept.owner.is_none()).count() as u64;
                assert_eq!(adopted, self.model.adopter.is_none().then_some(moved));
                if self.model.adopter.is_none() {
                    self.model.adopter = Some(user);
                    self.model.threads.values_mut().for_each(|kept| kept.owner = kept.owner.or(Some(user)));
                }
            }
        }
    }

    async fn begin(&mut self, thread: u8, who: Option<u8>) {
        let (name, turn, question_id) = (self.name(thread), format!("turn {}", self.steps), format!("q{}", self.steps));
        let mut wish = begin(&name, &turn, Opening::Question(question(&name, &question_id)));
        if !self.model.threads.contains_key(&thread) {
            wish.thread = TurnThread::New(record(&name));
        }
        let begun = self.scene.store.begin_turn(&self.owner(who), &wish).await;
        let kept = self.model.threads.entry(thread).or_insert(Kept { owner: who, running: None, items: Vec::new() });
        match begun {
            Err(StoreError::NoThread) => assert_ne!(kept.owner, who),
            Err(StoreError::Busy) => assert!(kept.running.is_some() && kept.owner == who),
            begun => {
                begun.unwrap();
                assert!(kept.running.is_none() && kept.owner == who);
                kept.running = Some((turn, who));
                kept.items.push((question_id, String::new()));
            }
        }
    }

    async fn write(&mut self, thread: u8, is_last: bool) {
        let Some((turn_id, began_as)) = self.model.threads.get(&thread).and_then(|kept| kept.running.clone()) else {
            return;
        };
        let (name, text) = (self.name(thread), format!("text {}", self.steps));
        let id = format!("a of {turn_id}");
        let key = TurnKey { owner: self.owner(began_as), thread_id: ThreadId::new(&*name), turn_id };
        let item = answer(&name, &id, &text);
        let (write, lease) = match is_last {
            true => (Write::Save(item), Lease::Release),
            false => (Write::Checkpoint(item), Lease::Until(at(60))),
        };
        self.scene.store.record(&key, &[write], lease, at(1)).await.expect("the turn holds its thread");
        let kept = self.model.threads.get_mut(&thread).expect("it runs there");
        kept.items.retain(|(kept_id, _)| *kept_id != id);
        kept.items.push((id, text));
        if is_last {
            kept.running = None;
        }
    }

    async fn compare(&self) {
        let store = &self.scene.store;
        for who in [None, Some(0), Some(1)] {
            let owner = self.owner(who);
            let listed = store.threads(&owner, &asked(200, Order::Asc, None)).await.unwrap().data;
            let mut listed: Vec<_> = listed.iter().map(|thread| thread.id.as_str().to_owned()).collect();
            listed.sort();
            let theirs = self.model.threads.iter().filter(|(_, kept)| kept.owner == who);
            assert_eq!(listed, theirs.map(|(thread, _)| self.name(*thread)).collect::<Vec<_>>(), "of {who:?}");
            for (thread, kept) in &self.model.threads {
                let id = ThreadId::new(self.name(*thread));
                let page = store.items(&owner, &id, &asked(200, Order::Asc, None)).await;
                if kept.owner != who {
                    assert!(matches!(page, Err(StoreError::NoThread)), "{who:?} sees {id}");
                    continue;
                }
                let items = page.unwrap().data;
                let shown: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
                assert_eq!(shown, kept.items.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>());
                for (item, (item_id, text)) in items.iter().zip(&kept.items).filter(|(_, (_, text))| !text.is_empty()) {
                    assert_eq!(*item, answer(id.as_str(), item_id, text));
                }
            }
        }
    }
}

fn hold(cases: u32, home: impl Future<Output = Home>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scene = Scene::on(runtime.block_on(home));
    let count = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let held = runner.run(&acts(), |acts| {
        count.set(count.get() + 1);
        runtime.block_on(async {
            let mut case = Case { scene: &scene, number: count.get(), model: Model::default(), steps: 0 };
            for act in acts {
                case.act(act).await;
                case.compare().await;
            }
        });
        Ok(())
    });
    if let Err(broken) = held {
        panic!("{broken}");
    }
}

#[test]
fn whenever_a_visitor_signs_in_nothing_is_lost_and_nobody_sees_both_on_sqlite() {
    hold(96, Home::sqlite());
}

#[test]
fn whenever_a_visitor_signs_in_nothing_is_lost_and_nobody_sees_both_on_postgres() {
    hold(32, Home::postgres());
}

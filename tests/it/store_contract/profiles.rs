//! Profiles: one for each reader, changed member by member.

use std::sync::Arc;

use chatkit_gateway::identity::OwnerId;
use chatkit_gateway::store::ProfileStore;
use chatkit_gateway::store::profiles::{ProfileChange, ProfileTexts};
use futures_util::future::join_all;

use super::on_both_homes;
use super::scene::{Scene, ada, at, grace};

on_both_homes!(
    a_profile_is_read_back_as_it_was_made,
    a_change_changes_what_it_names_and_takes_away_what_it_says_is_nothing,
    of_profiles_made_at_once_for_one_reader_one_is_kept,
    changes_at_once_to_different_members_are_all_kept,
    nobody_sees_or_changes_the_profile_of_another,
);

fn store(scene: &Scene) -> Arc<dyn ProfileStore> {
    scene.home.profiles.clone()
}

fn said(members: &[(&'static str, Option<&str>)]) -> ProfileChange {
    members.iter().map(|(member, text)| (*member, text.map(str::to_owned))).collect()
}

async fn a_profile_is_read_back_as_it_was_made(scene: Scene) {
    let store = store(&scene);
    assert_eq!(store.profile(&ada()).await.unwrap(), None);
    let all = [
        ("age_range", Some("25_34")),
        ("education_level", Some("phd")),
        ("tech_background", Some("none")),
        ("focus_area", Some("hardware")),
        ("primary_goal", Some("hobby")),
        ("learning_mode", Some("hands_on")),
        ("learning_speed", Some("thorough")),
        ("time_per_week", Some("8_15")),
        ("preferred_language", Some("ur")),
    ];
    let text = |text: &str| Some(text.to_owned());
    let expected = ProfileTexts {
        age_range: text("25_34"),
        education_level: text("phd"),
        tech_background: text("none"),
        focus_area: text("hardware"),
        primary_goal: text("hobby"),
        learning_mode: text("hands_on"),
        learning_speed: text("thorough"),
        time_per_week: text("8_15"),
        preferred_language: text("ur"),
    };
    let made = store.create_profile(&ada(), &said(&all), at(1)).await.unwrap().unwrap();
    assert_eq!((&made.texts, made.created_at, made.updated_at), (&expected, at(1), at(1)));
    assert_eq!(store.profile(&ada()).await.unwrap(), Some(made.clone()));
    assert_eq!(store.create_profile(&ada(), &said(&[]), at(2)).await.unwrap(), None, "there is one");
    assert_eq!(store.profile(&ada()).await.unwrap(), Some(made));

    let empty = store.create_profile(&grace(), &said(&[("focus_area", None)]), at(3)).await.unwrap().unwrap();
    assert_eq!(empty.texts, ProfileTexts::default());
}

async fn a_change_changes_what_it_names_and_takes_away_what_it_says_is_nothing(scene: Scene) {
    let store = store(&scene);
    assert_eq!(store.change_profile(&ada(), &said(&[("focus_area", Some("software"))]), at(0)).await.unwrap(), None);
    assert_eq!(store.profile(&ada()).await.unwrap(), None, "a change makes no profile");
    let first =
        said(&[("focus_area", Some("hardware")), ("learning_mode", Some("visual")), ("age_range", Some("18_24"))]);
    store.create_profile(&ada(), &first, at(1)).await.unwrap().unwrap();
    let change = said(&[("focus_area", None), ("learning_mode", Some("mixed")), ("preferred_language", Some("en"))]);
    let changed = store.change_profile(&ada(), &change, at(2)).await.unwrap().unwrap();
    let text = |text: &str| Some(text.to_owned());
    let expected = ProfileTexts {
        age_range: text("18_24"),
        learning_mode: text("mixed"),
        preferred_language: text("en"),
        ..ProfileTexts::default()
    };
    assert_eq!((&changed.texts, changed.created_at, changed.updated_at), (&expected, at(1), at(2)));
    assert_eq!(store.profile(&ada()).await.unwrap(), Some(changed));
    let same = store.change_profile(&ada(), &said(&[]), at(3)).await.unwrap().unwrap();
    assert_eq!(same.texts, expected);
}

async fn of_profiles_made_at_once_for_one_reader_one_is_kept(scene: Scene) {
    let store = store(&scene);
    let ranges: [&'static str; 6] = ["under_18", "18_24", "25_34", "35_44", "45_plus", "18_24"];
    let owner = ada();
    let made = ranges.map(|range| {
        let (store, owner, said) = (store.clone(), &owner, said(&[("age_range", Some(range))]));
        async move { store.create_profile(owner, &said, at(1)).await.unwrap() }
    });
    let made: Vec<_> = join_all(made).await.into_iter().flatten().collect();
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(store.profile(&owner).await.unwrap().as_ref(), made.first());
}

async fn changes_at_once_to_different_members_are_all_kept(scene: Scene) {
    let store = store(&scene);
    store.create_profile(&ada(), &said(&[]), at(1)).await.unwrap().unwrap();
    let owner = ada();
    let members = ["age_range", "education_level", "tech_background", "focus_area", "primary_goal", "learning_mode"];
    let changes = members.map(|member| {
        let (store, owner, said) = (store.clone(), &owner, said(&[(member, Some("x"))]));
        async move { store.change_profile(owner, &said, at(2)).await.unwrap().unwrap() }
    });
    join_all(changes).await;
    let texts = store.profile(&ada()).await.unwrap().unwrap().texts;
    let kept = [
        texts.age_range,
        texts.education_level,
        texts.tech_background,
        texts.focus_area,
        texts.primary_goal,
        texts.learning_mode,
    ];
    assert!(kept.iter().all(|text| text.as_deref() == Some("x")), "{kept:?}");
}

async fn nobody_sees_or_changes_the_profile_of_another(scene: Scene) {
    let store = store(&scene);
    let owners = [
        OwnerId::user("ada"),
        OwnerId::account("ada"),
        OwnerId::user("account:ada"),
        OwnerId::user_elsewhere("https://issuer.example.org", "ada"),
        OwnerId::user("elsewhere:https://issuer.example.org ada"),
        OwnerId::user(&"long".repeat(60)),
        OwnerId::user("' or 1 = 1 --"),
    ];
    for owner in &owners {
        assert_eq!(store.profile(owner).await.unwrap(), None, "{}", owner.as_str());
        store.create_profile(owner, &said(&[("age_range", Some("18_24"))]), at(1)).await.unwrap().unwrap();
    }
    store.change_profile(&owners[0], &said(&[("age_range", Some("35_44"))]), at(2)).await.unwrap().unwrap();
    for owner in &owners[1..] {
        let texts = store.profile(owner).await.unwrap().unwrap().texts;
        assert_eq!(texts.age_range.as_deref(), Some("18_24"), "{}", owner.as_str());
    }
    assert_eq!(store.profile(&OwnerId::user("a\0da")).await.unwrap(), None);
    let keys = scene.home.look("select user_id from user_profile where age_range = '35_44'").await;
    assert_eq!(keys, ["ada"], "as an earlier back end wrote it");
}

//! From what was found to what is kept: what fills lines stands alone, and what stands together goes together.

use std::collections::HashMap;

use super::{End, Found, Kept, Kind, Place, lines};
use crate::rewrite::marks::Marks;

pub(super) fn arrange(text: &str, found: Vec<Found>, pairs: &HashMap<usize, End>) -> Vec<Kept> {
    let mut kept: Vec<Kept> = Vec::with_capacity(found.len());
    let (mut line_start, mut read) = (0, 0);
    for Found { range, kind, ends } in together(text, found) {
        let ends: Vec<End> = ends.iter().filter_map(|number| pairs.get(number)).copied().collect();
        let (mut range, mut place) = match kind {
            Kind::In(place) => (range, place),
            Kind::Tag => (range, Place::Anywhere),
        };
        line_start = text[read..range.start].rfind(['\n', '\r']).map_or(line_start, |end| read + end + 1);
        read = range.start;
        let before = &text[line_start..range.start];
        let is_first = lines::markers(before).0 == before.len();
        let after = text[range.end..].trim_start_matches([' ', '\t']);
        let is_last = after.is_empty() || after.starts_with(['\n', '\r']);
        if kind == Kind::Tag && is_first && is_last {
            place = Place::Alone;
            // Its indentation is a part of it, unless it belongs to an item.
            if before.trim().is_empty() {
                range.start = line_start;
            }
        }
        let last = kept.last_mut().filter(|last| last.place == Place::Alone && place == Place::Alone);
        match last.filter(|last| text[last.range.end..range.start].trim().is_empty()) {
            Some(last) => {
                last.range.end = range.end;
                last.ends.extend(ends);
            }
            None => kept.push(Kept { range, place, ends }),
        }
    }
    kept
}

/// Joins what stands side by side: fewer marks are fewer that can be lost.
fn together(text: &str, found: Vec<Found>) -> Vec<Found> {
    let movable = |kind| matches!(kind, Kind::Tag | Kind::In(Place::Anywhere));
    let mut joined: Vec<Found> = Vec::with_capacity(found.len());
    for next in found {
        if let Some(last) = joined.last_mut() {
            let between = &text[last.range.end..next.range.start];
            let both_tags = last.kind == Kind::Tag && next.kind == Kind::Tag;
            let adjacent = between.is_empty() && movable(last.kind) && movable(next.kind);
            if adjacent || (both_tags && between.trim_matches([' ', '\t']).is_empty()) {
                last.range.end = next.range.end;
                last.kind = if both_tags { Kind::Tag } else { Kind::In(Place::Anywhere) };
                last.ends.extend(next.ends);
                continue;
            }
        }
        joined.push(next);
    }
    joined
}

/// With everything that looks like a mark and is not kept anyway.
pub(super) fn with_likenesses(text: &str, kept: Vec<Kept>, marks: Marks) -> Vec<Kept> {
    let mut likenesses = marks.likenesses(text).peekable();
    if likenesses.peek().is_none() {
        return kept;
    }
    let mut all = Vec::with_capacity(kept.len());
    let mut kept = kept.into_iter().peekable();
    for range in likenesses {
        while let Some(before) = kept.next_if(|kept| kept.range.end <= range.start) {
            all.push(before);
        }
        if kept.peek().is_some_and(|kept| kept.range.start <= range.start) {
            continue;
        }
        match all.last_mut().filter(|last: &&mut Kept| last.range.end == range.start && last.place == Place::Anywhere) {
            Some(last) => last.range.end = range.end,
            None => all.push(Kept { range, place: Place::Anywhere, ends: Vec::new() }),
        }
    }
    all.extend(kept);
    all
}

//! Slips of the pen: the words of the vocabulary that somebody may have meant.

use std::collections::HashMap;

/// Shortest word for which a slip is considered, in letters; of shorter ones too many are one letter apart.
const WORD_CHARS_MIN: usize = 4;
/// Longest such word, in letters.
const WORD_CHARS_MAX: usize = 32;

/// The words of a vocabulary by first letter and length.
#[derive(Debug, Default)]
pub(super) struct Spellings {
    buckets: HashMap<(char, usize), Vec<Spelling>>,
}

#[derive(Debug)]
struct Spelling {
    letters: Box<[char]>,
    /// Which letters are in it, a bit for each; most words are told apart by it alone.
    mask: u32,
    number: u32,
}

impl Spellings {
    /// Gives back the memory that was kept for further words.
    pub(super) fn shrink_to_fit(&mut self) {
        self.buckets.values_mut().for_each(Vec::shrink_to_fit);
        self.buckets.shrink_to_fit();
    }

    /// Adds a word; `number` is what is given back for it.
    pub(super) fn add(&mut self, word: &str, number: u32) {
        let letters: Vec<char> = word.chars().collect();
        if let Some(&first) = letters.first().filter(|_| (WORD_CHARS_MIN - 1..=WORD_CHARS_MAX).contains(&letters.len()))
        {
            self.buckets.entry((first, letters.len())).or_default().push(Spelling {
                mask: mask(&letters),
                letters: letters.into(),
                number,
            });
        }
    }

    /// The words nearest to this one, which is not among them: numbers, and how many letters apart.
    ///
    /// People get the first letter right, and in a short word one wrong letter is more often another word; so the
    /// first letter must agree, and short words may have a letter too many, too few, or swapped, but not a wrong one.
    pub(super) fn near(&self, word: &str) -> (Vec<u32>, usize) {
        let letters: Vec<char> = word.chars().collect();
        let length = letters.len();
        if !(WORD_CHARS_MIN..=WORD_CHARS_MAX).contains(&length) {
            return (Vec::new(), 0);
        }
        let furthest = if length >= 8 { 2 } else { 1 };
        let mask = mask(&letters);
        let (mut nearest, mut distance) = (Vec::new(), furthest + 1);
        for other_length in length.saturating_sub(furthest)..=length + furthest {
            for other in self.buckets.get(&(letters[0], other_length)).into_iter().flatten() {
                let limit = distance.min(furthest);
                if (mask ^ other.mask).count_ones() as usize > 2 * limit {
                    continue;
                }
                let Some(apart) = apart(&letters, &other.letters, limit) else { continue };
                if length < 6 && other.letters.len() == length && !is_swap(&letters, &other.letters) {
                    continue;
                }
                if apart < distance {
                    distance = apart;
                    nearest.clear();
                }
                nearest.push(other.number);
            }
        }
        (nearest, distance)
    }
}

fn mask(letters: &[char]) -> u32 {
    letters.iter().fold(0, |mask, &letter| mask | 1 << (letter as u32 % 32))
}

fn is_swap(one: &[char], other: &[char]) -> bool {
    let (mut ones, mut others) = (one.to_vec(), other.to_vec());
    ones.sort_unstable();
    others.sort_unstable();
    ones == others
}

/// How many letters must be changed, added, dropped or swapped with their neighbour; none when more than `limit`.
fn apart(one: &[char], other: &[char], limit: usize) -> Option<usize> {
    if one.len().abs_diff(other.len()) > limit {
        return None;
    }
    let width = other.len() + 1;
    let mut before: Vec<usize> = vec![0; width];
    let mut row: Vec<usize> = (0..width).collect();
    let mut next = vec![0; width];
    for i in 1..=one.len() {
        next[0] = i;
        let mut best = i;
        for j in 1..width {
            let cost = usize::from(one[i - 1] != other[j - 1]);
            let mut least = (row[j] + 1).min(next[j - 1] + 1).min(row[j - 1] + cost);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            next[j] = least;
            best = best.min(least);
        }
        if best > limit {
            return None;
        }
        std::mem::swap(&mut before, &mut row);
        std::mem::swap(&mut row, &mut next);
    }
    Some(row[width - 1]).filter(|&apart| apart <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood_and_other_words_are_not() {
        let words = [
            "command",
            "launch",
            "gazebo",
            "empty",
            "moment",
            "balance",
            "proprioception",
            "over",
            "feed",
            "walls",
            "below",
        ];
        let mut spellings = Spellings::default();
        for (number, word) in words.iter().enumerate() {
            spellings.add(word, u32::try_from(number).unwrap());
        }
        for (slip, meant) in [
            ("comand", Some("command")),
            ("lauch", Some("launch")),
            ("gazbo", Some("gazebo")),
            ("emty", Some("empty")),
            ("momnet", Some("moment")),
            ("balence", Some("balance")),
            ("propriocepton", Some("proprioception")),
            ("hover", None),
            ("feet", None),
            ("balls", None),
            ("elbow", None),
            ("x", None),
        ] {
            let (near, _) = spellings.near(slip);
            assert_eq!(near.first().map(|&n| words[n as usize]), meant, "{slip}");
        }
    }
}

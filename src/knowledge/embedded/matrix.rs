//! Vectors in memory, one after the other, and which of them are nearest to another one.

use crate::knowledge::hybrid::Near;
use crate::store::passages::Shelf;

/// Numbers that are multiplied side by side; the compiler makes wide instructions of it.
const LANES: usize = 16;

/// A vector for each passage of an index, in its order. All have length one, or are zeros where there is none.
#[derive(Debug, Default)]
pub struct Matrix {
    dimensions: usize,
    numbers: Vec<f32>,
}

impl Matrix {
    /// The vectors of a shelf, which loses them.
    pub fn of(shelf: &mut Shelf) -> Self {
        Self { dimensions: shelf.dimensions, numbers: std::mem::take(&mut shelf.vectors) }
    }

    /// Numbers in all of them.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The passages nearest to a vector of length one, nearest first. None when it is of another length than these.
    pub fn nearest(&self, asked: &[f32], limit: usize) -> Vec<Near> {
        if self.dimensions == 0 || asked.len() != self.dimensions || limit == 0 {
            return Vec::new();
        }
        let rows = self.numbers.chunks_exact(self.dimensions);
        let mut near: Vec<Near> =
            (0..).zip(rows).map(|(passage, row)| Near { passage, cosine: dot(asked, row) }).collect();
        let nearest_first =
            |one: &Near, other: &Near| other.cosine.total_cmp(&one.cosine).then(one.passage.cmp(&other.passage));
        if near.len() > limit {
            near.select_nth_unstable_by(limit, nearest_first);
            near.truncate(limit);
        }
        near.sort_unstable_by(nearest_first);
        near
    }
}

/// The sum of the products; for vectors of length one the cosine of the angle between them.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (ones, ones_rest) = one.as_chunks::<LANES>();
    let (others, others_rest) = other.as_chunks::<LANES>();
    for (one, other) in ones.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] += one[lane] * other[lane];
        }
    }
    let rest: f32 = ones_rest.iter().zip(others_rest).map(|(one, other)| one * other).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vectors() -> impl Strategy<Value = (usize, Vec<Vec<f32>>)> {
        (1usize..40).prop_flat_map(|dimensions| {
            let vector = prop::collection::vec(-1.0f32..1.0, dimensions);
            (Just(dimensions), prop::collection::vec(vector, 2..30))
        })
    }

    proptest! {
        #[test]
        fn the_nearest_are_those_that_comparing_all_finds((dimensions, vectors) in vectors(), limit in 1usize..35) {
            let (asked, rows) = vectors.split_first().unwrap();
            let matrix = Matrix { dimensions, numbers: rows.concat() };
            let near = matrix.nearest(asked, limit);
            prop_assert_eq!(near.len(), limit.min(rows.len()));
            let plain = |row: &[f32]| row.iter().zip(asked).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
            for one in &near {
                prop_assert!((f64::from(one.cosine) - plain(&rows[one.passage as usize])).abs() < 1e-4);
            }
            prop_assert!(near.windows(2).all(|pair| pair[0].cosine >= pair[1].cosine));
            let last = near.last().unwrap().cosine;
            let left_out = (0..).zip(rows).filter(|(number, _)| near.iter().all(|one| one.passage != *number));
            for (_, row) in left_out {
                prop_assert!(plain(row) <= f64::from(last) + 1e-4);
            }
        }
    }

    #[test]
    fn a_vector_of_another_length_is_near_to_nothing() {
        let matrix = Matrix { dimensions: 2, numbers: vec![1.0, 0.0] };
        assert!(matrix.nearest(&[1.0], 3).is_empty() && Matrix::default().nearest(&[], 3).is_empty());
    }
}

//! What came back as vectors: whether it is what was asked for, and each made of length one.

/// Vectors of length one, or what is wrong with them, as a sentence.
pub(super) fn checked(mut vectors: Vec<Vec<f32>>, texts: usize, dimensions: u32) -> Result<Vec<Vec<f32>>, String> {
    if vectors.len() != texts {
        return Err(format!("{} vectors for {texts} texts", vectors.len()));
    }
    for vector in &mut vectors {
        if vector.len() != dimensions as usize {
            let (had, wanted) = (vector.len(), dimensions);
            return Err(format!("vectors of {had} numbers instead of {wanted}; check EMBEDDING_DIMENSIONS"));
        }
        normalise(vector)?;
    }
    Ok(vectors)
}

/// Providers cut vectors without making them of length one again, and a cosine is a mere product only of such.
fn normalise(vector: &mut [f32]) -> Result<(), String> {
    // The square of a number that fits into 32 bits may not.
    let square: f64 = vector.iter().map(|number| f64::from(*number).powi(2)).sum();
    if !square.is_finite() {
        return Err("a vector with something in it that is no number".to_owned());
    }
    if square == 0.0 {
        return Err("a vector of nothing but zeros".to_owned());
    }
    let length = square.sqrt();
    for number in vector {
        #[expect(clippy::cast_possible_truncation, reason = "what is lost is beyond what was there")]
        let shorter = (f64::from(*number) / length) as f32;
        *number = shorter;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_not_asked_for_is_named() {
        let check = |vectors: Vec<Vec<f32>>| checked(vectors, 1, 2).unwrap_err();
        assert_eq!(check(vec![]), "0 vectors for 1 texts");
        assert_eq!(check(vec![vec![1.0]]), "vectors of 1 numbers instead of 2; check EMBEDDING_DIMENSIONS");
        assert_eq!(check(vec![vec![0.0, -0.0]]), "a vector of nothing but zeros");
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(check(vec![vec![1.0, wrong]]), "a vector with something in it that is no number");
        }
    }

    proptest! {
        #[test]
        fn whatever_finite_numbers_come_the_vector_has_length_one_and_its_direction(
            numbers in proptest::collection::vec(-f32::MAX..f32::MAX, 1..50)
        ) {
            prop_assume!(numbers.iter().any(|number| *number != 0.0));
            let dimensions = u32::try_from(numbers.len()).unwrap();
            let vectors = checked(vec![numbers.clone()], 1, dimensions).unwrap();
            let length: f64 = vectors[0].iter().map(|number| f64::from(*number).powi(2)).sum();
            prop_assert!((length - 1.0).abs() < 1e-5, "{length}");
            for (before, after) in numbers.iter().zip(&vectors[0]) {
                prop_assert!(before * after >= 0.0);
            }
        }
    }
}

//! Where text stands on a page: enough geometry to tell words from lines.

/// A linear map of the plane and a shift, as `cm` and `Tm` give it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Matrix(pub(super) [f64; 6]);

impl Matrix {
    pub(super) const IDENTITY: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    pub(super) fn shift(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// First this one, then the other.
    pub(super) fn then(self, other: Self) -> Self {
        let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (self.0, other.0);
        Self([a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + l])
    }
}

/// Where a string stands on the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    x: f64,
    y: f64,
    /// Along the line, of length 1.
    along: (f64, f64),
    /// The height of the font.
    height: f64,
}

/// What stands between two strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    None,
    Word,
    Line,
    Paragraph,
}

impl Spot {
    pub(super) fn of(matrix: Matrix, size: f64) -> Self {
        let [a, b, c, d, x, y] = matrix.0;
        let length = a.hypot(b);
        let along = if length > 0.0 { (a / length, b / length) } else { (1.0, 0.0) };
        Self { x, y, along, height: (size * c.hypot(d)).abs().max(1e-6) }
    }

    /// What is between the end of a string and the beginning of the next; `is_exact` where the end was measured.
    pub(super) fn gap(end: Self, next: Self, is_exact: bool) -> Gap {
        let (x, y) = (next.x - end.x, next.y - end.y);
        let height = end.height.max(next.height);
        let forward = (x * end.along.0 + y * end.along.1) / height;
        let sideways = (x * end.along.1 - y * end.along.0).abs() / height;
        match () {
            () if sideways > 1.9 => Gap::Paragraph,
            () if sideways > 0.6 => Gap::Line,
            () if !is_exact => Gap::Word,
            () if forward > 0.17 => Gap::Word,
            // Back to the left without a new line: the next cell, or the same words once more.
            () if forward < -1.0 => Gap::Line,
            () => Gap::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_told_by_how_far_the_next_string_is() {
        let spot = |x, y| Spot::of(Matrix::shift(x, y), 10.0);
        let gap = |x, y| Spot::gap(spot(100.0, 100.0), spot(x, y), true);
        assert_eq!([gap(100.5, 100.0), gap(100.0, 103.0)], [Gap::None, Gap::None]);
        assert_eq!(gap(103.0, 100.0), Gap::Word);
        assert_eq!([gap(20.0, 88.0), gap(20.0, 100.0)], [Gap::Line, Gap::Line]);
        assert_eq!(gap(20.0, 70.0), Gap::Paragraph);
        // The same on a page that stands on its side.
        let turned = |x, y| Spot::of(Matrix([0.0, 1.0, -1.0, 0.0, x, y]), 10.0);
        assert_eq!(Spot::gap(turned(100.0, 100.0), turned(100.0, 103.0), true), Gap::Word);
        assert_eq!(Spot::gap(turned(100.0, 100.0), turned(112.0, 20.0), true), Gap::Line);
    }
}

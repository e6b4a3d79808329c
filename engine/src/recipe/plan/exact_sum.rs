//! Sums of numbers that do not depend on their order: exact, and rounded once.

/// A sum kept as parts that do not overlap, so that nothing is lost (Shewchuk, "Adaptive Precision Floating-Point Arithmetic",
/// 1997; the same as Python's `math.fsum`).
#[derive(Clone, Debug, Default)]
pub struct ExactSum {
    /// Increasing in magnitude.
    parts: Vec<f64>,
    /// The plain sum, once numbers grew beyond what f64 holds.
    beyond: Option<f64>,
}

impl ExactSum {
    /// Adds a number.
    pub fn add(&mut self, number: f64) {
        if let Some(beyond) = &mut self.beyond {
            *beyond += number;
            return;
        }
        let mut rest = number;
        let mut used = 0;
        for index in 0..self.parts.len() {
            let (mut large, mut small) = (rest, self.parts[index]);
            if large.abs() < small.abs() {
                std::mem::swap(&mut large, &mut small);
            }
            let sum = large + small;
            let error = small - (sum - large);
            if error != 0.0 {
                self.parts[used] = error;
                used += 1;
            }
            rest = sum;
        }
        self.parts.truncate(used);
        self.parts.push(rest);
        if !rest.is_finite() {
            self.beyond = Some(rest);
        }
    }

    /// Numbers that add up to the sum: adding them to another one adds all of it.
    #[must_use]
    pub fn parts(&self) -> &[f64] {
        match &self.beyond {
            Some(beyond) => std::slice::from_ref(beyond),
            None => &self.parts,
        }
    }

    /// The sum, rounded to the nearest f64, ties to even.
    #[must_use]
    pub fn value(&self) -> f64 {
        if let Some(beyond) = self.beyond {
            return beyond;
        }
        let mut parts = self.parts.iter().rev();
        let Some(mut sum) = parts.next().copied() else {
            return 0.0;
        };
        let mut error = 0.0;
        for part in parts.by_ref() {
            let before = sum;
            sum = before + part;
            error = part - (sum - before);
            if error != 0.0 {
                break;
            }
        }
        // What is left decides where the error is exactly half of the last place.
        if let Some(next) = parts.next()
            && ((error < 0.0 && *next < 0.0) || (error > 0.0 && *next > 0.0))
        {
            let doubled = error * 2.0;
            let corrected = sum + doubled;
            if doubled == corrected - sum {
                sum = corrected;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(numbers: &[f64]) -> f64 {
        let mut sum = ExactSum::default();
        numbers.iter().for_each(|number| sum.add(*number));
        sum.value()
    }

    #[test]
    fn what_plain_addition_loses_is_kept() {
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(sum(&[1e16, 1.0, 1.0, -1e16]), 2.0);
        assert_eq!(sum(&[]), 0.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        // Exactly half of the last place and a little: rounds up, where the half alone rounds to even.
        assert_eq!(sum(&[1.0, 2.0_f64.powi(-53), 2.0_f64.powi(-110)]), 1.0 + f64::EPSILON);
        assert_eq!(sum(&[1.0, 2.0_f64.powi(-53)]), 1.0);
    }

    proptest! {
        #[test]
        fn the_order_does_not_matter(mut numbers in proptest::collection::vec(-1e12..1e12_f64, 0..200), turn in 0..200_usize) {
            let before = sum(&numbers);
            if !numbers.is_empty() {
                let middle = turn % numbers.len();
                numbers.rotate_left(middle);
                numbers.reverse();
            }
            prop_assert_eq!(before.to_bits(), sum(&numbers).to_bits());
        }

        #[test]
        fn whole_numbers_add_up_exactly(numbers in proptest::collection::vec(-1_000_000_000..1_000_000_000_i64, 0..200)) {
            let floats: Vec<f64> = numbers.iter().map(|number| *number as f64).collect();
            prop_assert_eq!(sum(&floats), numbers.iter().sum::<i64>() as f64);
        }
    }
}

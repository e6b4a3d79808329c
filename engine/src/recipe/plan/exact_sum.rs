//! Sums of numbers that do not depend on their order: exact, and rounded once.

/// A sum kept as parts that do not overlap, so that nothing is lost (Shewchuk, "Adaptive Precision Floating-Point Arithmetic",
/// 1997; the same as Python's `math.fsum`), and what goes beyond the greatest number on the way, so that it can come back.
#[derive(Clone, Debug, Default)]
pub struct ExactSum {
    /// Increasing in magnitude.
    parts: Vec<f64>,
    /// How many times [`CARRY`] belongs to the sum besides.
    carries: i64,
    /// The sum of those that were no finite numbers.
    beyond: Option<f64>,
}

/// 2^1023, the greatest power of two that is a number.
const CARRY: f64 = f64::from_bits(0x7fe0_0000_0000_0000);

impl ExactSum {
    /// Adds a number.
    pub fn add(&mut self, number: f64) {
        if !number.is_finite() {
            self.beyond = Some(self.beyond.unwrap_or(0.0) + number);
            return;
        }
        let mut rest = number;
        let mut used = 0;
        for index in 0..self.parts.len() {
            let (mut large, mut small) = in_order(rest, self.parts[index]);
            while !(large + small).is_finite() {
                // Both have the same sign, and the large one is a carry at least, so that taking one away is exact. Once more
                // where the other is as large.
                self.carries += if large > 0.0 { 1 } else { -1 };
                (large, small) = in_order(large - CARRY.copysign(large), small);
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
    }

    /// Bytes that it holds beside itself, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.parts.len() * size_of::<f64>()
    }

    /// All of it as numbers for [`Self::merge`]: the parts; where there is more, behind them what is no number, the carries,
    /// and the sum of those that were not finite.
    pub fn state(&self) -> impl Iterator<Item = f64> {
        #[expect(clippy::cast_precision_loss, reason = "fewer than rows, which are far below 2^53")]
        let more = [f64::NAN, self.carries as f64, self.beyond.unwrap_or(0.0)];
        let has_more = self.carries != 0 || self.beyond.is_some();
        self.parts
            .iter()
            .copied()
            .chain(more.into_iter().filter(move |_| has_more))
    }

    /// Adds all of another sum, by its [`Self::state`].
    pub fn merge(&mut self, state: &[f64]) {
        let parts = state.iter().position(|part| part.is_nan()).unwrap_or(state.len());
        let (parts, more) = state.split_at(parts);
        parts.iter().for_each(|part| self.add(*part));
        if let [_, carries, beyond] = more {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            let carries = *carries as i64;
            self.carries += carries;
            if *beyond != 0.0 {
                self.add(*beyond);
            }
        }
    }

    /// The sum divided by how many numbers it is of; it may be a number where the sum is beyond all of them.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "rows are far below 2^53")]
    pub fn mean(&self, count: u64) -> f64 {
        const SMALLER: f64 = 1.0 / 18_446_744_073_709_551_616.0;
        let count = count as f64;
        if self.carries == 0 || self.beyond.is_some() {
            return self.value() / count;
        }
        let mut scaled = Self::default();
        scaled.add(self.carries as f64 * (CARRY * SMALLER));
        self.parts.iter().for_each(|part| scaled.add(part * SMALLER));
        scaled.value() / count / SMALLER
    }

    /// The sum, rounded to the nearest f64, ties to even; infinite where it is beyond the greatest number.
    #[must_use]
    pub fn value(&self) -> f64 {
        if let Some(beyond) = self.beyond {
            return beyond;
        }
        if self.carries == 0 {
            return self.rounded();
        }
        // Carries go back as far as there is room: a few of them where the parts have the other sign.
        let mut rest = self.clone();
        while rest.carries != 0 {
            let (before, sign) = (rest.carries, rest.carries.signum());
            rest.carries -= sign;
            let carry = if sign > 0 { CARRY } else { -CARRY };
            rest.add(carry);
            if rest.carries == before {
                return carry * 2.0;
            }
        }
        rest.rounded()
    }

    /// The parts as one number.
    fn rounded(&self) -> f64 {
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

/// The greater one by magnitude first.
fn in_order(one: f64, other: f64) -> (f64, f64) {
    if one.abs() < other.abs() {
        (other, one)
    } else {
        (one, other)
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
        assert_eq!(sum(&[-f64::MAX, -f64::MAX, 1.0]), f64::NEG_INFINITY);
        // Exactly half of the last place and a little: rounds up, where the half alone rounds to even.
        assert_eq!(sum(&[1.0, 2.0_f64.powi(-53), 2.0_f64.powi(-110)]), 1.0 + f64::EPSILON);
        assert_eq!(sum(&[1.0, 2.0_f64.powi(-53)]), 1.0);
    }

    #[test]
    fn what_goes_beyond_the_greatest_number_comes_back() {
        assert_eq!(sum(&[1e308, 1e308, -1e308, -1e308, 5.0]), 5.0);
        assert_eq!(sum(&[1e308, 1e308, 1e308, 0.5, -1e308, -1e308, -1e308]), 0.5);
        assert_eq!(sum(&[f64::MAX, f64::MAX, f64::MAX, -f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(sum(&[f64::INFINITY, -1e308]), f64::INFINITY);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        let mut great = ExactSum::default();
        [1.5e308, 1e308].iter().for_each(|number| great.add(*number));
        assert_eq!(great.mean(2), 1.25e308);
    }

    proptest! {
        #[test]
        fn any_split_and_order_give_the_same_also_with_great_numbers(
            numbers in proptest::collection::vec(proptest::sample::select(vec![f64::MAX, -f64::MAX, 1e308, -1e308, 1.0, -0.1, 5e-324]), 0..40),
            cut in 0..40_usize,
        ) {
            let whole = sum(&numbers);
            let mut turned = numbers.clone();
            turned.reverse();
            prop_assert_eq!(whole.to_bits(), sum(&turned).to_bits());
            let (first, second) = numbers.split_at(cut.min(numbers.len()));
            let (mut left, mut right) = (ExactSum::default(), ExactSum::default());
            first.iter().for_each(|number| left.add(*number));
            second.iter().for_each(|number| right.add(*number));
            left.merge(&right.state().collect::<Vec<_>>());
            prop_assert_eq!(whole.to_bits(), left.value().to_bits());
        }

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

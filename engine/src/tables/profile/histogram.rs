//! Counts over equal steps, of values whose range is known only at the end.
//!
//! Fine bins are kept over a range that doubles when a value falls outside: neighbouring bins are then added up. At the end
//! they are put into the few steps that are shown, each by its middle, so a count may stand one fine bin beside its place.

/// Fine bins; even, since doubling adds up pairs.
const BINS: usize = 512;
/// Steps that are shown.
const STEPS: usize = 24;

#[derive(Debug, Default)]
pub(super) struct Histogram {
    low: f64,
    /// Of a bin; 0 while all values were equal.
    width: f64,
    bins: Vec<u64>,
    /// Values equal to `low`, while there was no other.
    equal: u64,
}

impl Histogram {
    pub(super) fn see(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.bins.is_empty() {
            if self.equal == 0 || value == self.low {
                self.low = value;
                self.equal += 1;
                return;
            }
            self.spread(value);
        }
        while value < self.low && self.width.is_finite() {
            self.double_down();
        }
        while value >= self.low + self.width * BINS as f64 && self.width.is_finite() {
            self.double_up();
        }
        self.add(value, 1);
    }

    /// The second different value sets the first range.
    fn spread(&mut self, value: f64) {
        let first = self.low;
        self.width = ((value - first).abs() / (BINS as f64 / 2.0)).max(f64::MIN_POSITIVE);
        self.low = first.min(value);
        self.bins = vec![0; BINS];
        self.add(first, self.equal);
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float cast saturates"
    )]
    fn add(&mut self, value: f64, count: u64) {
        let at = ((value - self.low) / self.width) as usize;
        if let Some(bin) = self.bins.get_mut(at.min(BINS - 1)) {
            *bin += count;
        }
    }

    fn halved(&self) -> Vec<u64> {
        self.bins.chunks(2).map(|pair| pair.iter().sum()).collect()
    }

    fn double_up(&mut self) {
        let mut bins = self.halved();
        bins.resize(BINS, 0);
        self.bins = bins;
        self.width *= 2.0;
    }

    fn double_down(&mut self) {
        let mut bins = vec![0; BINS / 2];
        bins.extend(self.halved());
        self.bins = bins;
        self.low -= self.width * BINS as f64;
        self.width *= 2.0;
    }

    /// Counts over equal steps from `min` to `max`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float cast saturates"
    )]
    pub(super) fn finish(&self, min: f64, max: f64) -> Vec<u64> {
        if self.bins.is_empty() {
            return if self.equal > 0 { vec![self.equal] } else { Vec::new() };
        }
        let mut steps = vec![0; STEPS];
        for (at, count) in self.bins.iter().enumerate() {
            let middle = self.low + (at as f64 + 0.5) * self.width;
            let step = ((middle - min) / (max - min) * STEPS as f64) as usize;
            if let Some(to) = steps.get_mut(step.min(STEPS - 1)) {
                *to += count;
            }
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_counted_wherever_the_range_goes() {
        let mut histogram = Histogram::default();
        let values = [5.0, 5.0, 6.0, -1000.0, 1e6, 0.001, 1e300, -1e300, 7.0];
        values.iter().for_each(|value| histogram.see(*value));
        assert_eq!(histogram.finish(-1e300, 1e300).iter().sum::<u64>(), values.len() as u64);
        let mut same = Histogram::default();
        (0..4).for_each(|_| same.see(3.0));
        assert_eq!(same.finish(3.0, 3.0), [4]);
    }
}

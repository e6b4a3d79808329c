//! What is known so far of how a row came to be: it goes back from the result towards the rows that were read.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::probe::{Alike, Found, MOST_ROWS, Made, ReadRow};

/// What came up in all passes.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// How rows were made, by row and by the step's position.
    made: HashMap<u64, BTreeMap<usize, Made>>,
    /// Rows as they were read.
    pub(super) read: HashMap<u64, ReadRow>,
    /// Followed rows by point and row.
    pub(super) rows: HashMap<(usize, u64), Chunk>,
    /// Where they stood, from 0.
    pub(super) places: HashMap<(usize, u64), u64>,
    /// What makes rows alike to them, by step and row.
    pub(super) keys: HashMap<(usize, u64), Box<[u8]>>,
    /// Rows that are alike to them.
    pub(super) alike: HashMap<(usize, u64), Alike>,
}

/// A stretch of the way on which a row stays one and the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The row's number.
    pub(super) row: u64,
    /// The points at which it is there, first and last.
    pub(super) points: (usize, usize),
    /// How the step in front of the first point made it; nothing where it was read.
    pub(super) made: Option<Made>,
}

/// Where a way begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Leaf {
    /// At a row of the sheet, by its number here.
    Read(u64),
    /// At a row of another table: the step that brought it, and where it stands there.
    Brought(usize, u64),
}

impl Trail {
    /// Adds what came up in a pass.
    pub(super) fn add(&mut self, found: Found) {
        for ((row, step), made) in found.made {
            self.made.entry(row).or_default().insert(step, made);
        }
        self.read.extend(found.read);
        self.rows.extend(found.rows);
        self.places.extend(found.places);
        self.keys.extend(found.keys);
        // Each pass counts anew.
        self.alike.extend(found.alike);
    }

    /// How a row that is there at a point was made, and by the step at which position.
    fn made(&self, row: u64, point: usize) -> Option<(usize, &Made)> {
        let steps = self.made.get(&row)?.range(..point);
        steps.last().map(|(step, made)| (*step, made))
    }

    /// The way back from a row at a point. Of the rows of a group it takes the one that leads to the sheet's row `to`, or the
    /// first one.
    pub(super) fn way(&self, row: u64, point: usize, to: Option<u32>) -> Vec<Stretch> {
        let (mut way, mut row, mut last) = (Vec::new(), row, point);
        loop {
            let made = self.made(row, last);
            let first = made.map_or(0, |(step, _)| step + 1);
            way.push(Stretch {
                row,
                points: (first, last),
                made: made.map(|(_, made)| made.clone()),
            });
            let Some((step, made)) = made else { return way };
            row = match made {
                Made::Copy { of, .. } => *of,
                Made::Group { members, .. } => {
                    let leads = |member: &&u64| to.is_some_and(|to| self.leads_to(**member, step, to));
                    match members.iter().find(leads).or(members.first()) {
                        Some(member) => *member,
                        None => return way,
                    }
                }
                Made::Brought { .. } | Made::Query => return way,
            };
            last = step;
        }
    }

    fn leads_to(&self, row: u64, point: usize, to: u32) -> bool {
        let leaves = self.leaves(row, point);
        leaves.iter().any(|leaf| match leaf {
            Leaf::Read(row) => self.source(*row) == Some(to),
            Leaf::Brought(..) => false,
        })
    }

    /// The sheet's row of a row that was read.
    pub(super) fn source(&self, row: u64) -> Option<u32> {
        self.read.get(&row).map(|read| read.row.sources.value(0))
    }

    /// All rows where ways back from a row at a point begin, each once, in order; those that are not listed are not among them.
    pub(super) fn leaves(&self, row: u64, point: usize) -> Vec<Leaf> {
        let (mut leaves, mut seen) = (Vec::new(), HashSet::new());
        let mut open = vec![(row, point)];
        while let Some((row, point)) = open.pop() {
            let leaf = match self.made(row, point) {
                None => Leaf::Read(row),
                Some((step, Made::Copy { of, .. })) => {
                    open.push((*of, step));
                    continue;
                }
                Some((step, Made::Group { members, .. })) => {
                    open.extend(members.iter().rev().map(|member| (*member, step)));
                    continue;
                }
                Some((step, Made::Brought { position })) => Leaf::Brought(step, *position),
                Some((_, Made::Query)) => continue,
            };
            if seen.insert(leaf) {
                leaves.push(leaf);
            }
        }
        leaves
    }

    /// Whether some rows that a row was made of are not listed.
    pub(super) fn leaves_out(&self, row: u64, point: usize) -> bool {
        let mut open = vec![(row, point)];
        while let Some((row, point)) = open.pop() {
            match self.made(row, point) {
                Some((step, Made::Copy { of, .. })) => open.push((*of, step)),
                Some((_, Made::Group { rows, members })) if *rows > members.len() as u64 => return true,
                Some((step, Made::Group { members, .. })) => open.extend(members.iter().map(|it| (*it, step))),
                None | Some((_, Made::Brought { .. } | Made::Query)) => {}
            }
        }
        self.leaves(row, point).len() > MOST_ROWS
    }

    /// All rows that a row was made of and itself, as far as that is known: their making is to be looked for.
    pub(super) fn behind(&self, row: u64, point: usize) -> HashSet<u64> {
        let (mut rows, mut open) = (HashSet::new(), vec![(row, point)]);
        while let Some((row, point)) = open.pop() {
            rows.insert(row);
            match self.made(row, point) {
                Some((step, Made::Copy { of, .. })) => open.push((*of, step)),
                Some((step, Made::Group { members, .. })) => open.extend(members.iter().map(|it| (*it, step))),
                None | Some((_, Made::Brought { .. } | Made::Query)) => {}
            }
        }
        rows
    }
}

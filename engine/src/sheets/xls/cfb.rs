//! The container of old workbooks (MS-CFB), looked through before calamine follows its chains: a chain may be a loop.

use super::super::refusal::Refusal;

/// Sectors from here on are marks, not places (MS-CFB section 2.1).
const FIRST_MARK: u32 = 0xffff_fffa;
const END_OF_CHAIN: u32 = 0xffff_fffe;
/// Streams shorter than this lie in the small sectors of the root's stream.
const SMALL_STREAM: u64 = 4096;
const SMALL_SECTOR: usize = 64;
const HEADER: usize = 512;
const ENTRY: usize = 128;

/// A container whose chains all end.
pub(super) struct Compound<'a> {
    bytes: &'a [u8],
    sector: usize,
    fat: Vec<u32>,
    entries: Vec<Entry>,
    /// Where each small sector lies in the file.
    small: Vec<usize>,
    small_fat: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Entry {
    name: String,
    start: u32,
    length: u64,
}

/// Where a stream lies in the file: runs of bytes in order.
pub(super) struct Stream {
    runs: Vec<std::ops::Range<usize>>,
}

impl<'a> Compound<'a> {
    /// Looks through header, sector table and directory.
    ///
    /// # Errors
    /// [`Refusal::Damaged`] where a chain leaves the file or comes back to itself.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let sector = match short(bytes, 30)? {
            9 => 512,
            12 => 4096,
            other => return Err(damaged(&format!("a sector shift of {other}"))),
        };
        let mut compound = Self {
            bytes,
            sector,
            fat: Vec::new(),
            entries: Vec::new(),
            small: Vec::new(),
            small_fat: Vec::new(),
        };
        compound.fat = compound.read_fat()?;
        let directory = compound.chain(long(bytes, 48)?, u64::MAX)?;
        compound.entries = entries(&compound.gather(&directory), sector);
        let Some(root) = compound.entries.first().cloned() else {
            return Err(damaged("no directory"));
        };
        if long(bytes, 64)? > 0 {
            let table = compound.chain(long(bytes, 60)?, u64::MAX)?;
            compound.small_fat = longs(&compound.gather(&table));
            let stream = compound.chain(root.start, root.length)?;
            let in_runs = |run: &std::ops::Range<usize>| run.clone().step_by(SMALL_SECTOR);
            compound.small = stream.iter().flat_map(in_runs).collect();
        }
        Ok(compound)
    }

    /// Whether it has an entry of this name, in any case.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// Finds a stream by its name.
    ///
    /// # Errors
    /// [`Refusal::Damaged`] where its chain leaves the file or comes back to itself.
    pub(super) fn stream(&self, name: &str) -> Result<Option<Stream>, Refusal> {
        let Some(entry) = self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name)) else {
            return Ok(None);
        };
        let runs = if entry.length < SMALL_STREAM {
            self.small_chain(entry.start, entry.length)?
        } else {
            self.chain(entry.start, entry.length)?
        };
        Ok(Some(Stream { runs }))
    }

    /// The sector table, by the list of its sectors in the header and what continues that.
    fn read_fat(&self) -> Result<Vec<u32>, Refusal> {
        let mut list = longs(self.bytes.get(76..HEADER).ok_or(Refusal::CutOff)?);
        let mut next = long(self.bytes, 68)?;
        let most = self.bytes.len() / self.sector + 1;
        for _ in 0..=most {
            if next >= FIRST_MARK {
                let known = list.into_iter().filter(|id| *id < FIRST_MARK);
                let mut fat = Vec::new();
                for id in known {
                    fat.extend(longs(&self.bytes[self.place(id)?]));
                }
                return Ok(fat);
            }
            list.extend(longs(&self.bytes[self.place(next)?]));
            next = list.pop().unwrap_or(END_OF_CHAIN);
        }
        Err(damaged("a loop in the list of sector tables"))
    }

    /// Where a sector lies; the last one may be cut short.
    fn place(&self, id: u32) -> Result<std::ops::Range<usize>, Refusal> {
        let start = (id as usize)
            .checked_add(1)
            .and_then(|n| n.checked_mul(self.sector))
            .filter(|start| *start < self.bytes.len())
            .ok_or_else(|| damaged(&format!("sector {id} lies behind the end of the file")))?;
        Ok(start..(start + self.sector).min(self.bytes.len()))
    }

    /// The sectors of a chain, up to so many bytes.
    fn chain(&self, first: u32, length: u64) -> Result<Vec<std::ops::Range<usize>>, Refusal> {
        let (mut runs, mut id, mut bytes) = (Vec::new(), first, 0);
        while id != END_OF_CHAIN && bytes < length {
            if runs.len() > self.fat.len() {
                return Err(damaged("a loop of sectors"));
            }
            let mut run = self.place(id)?;
            let left = usize::try_from(length - bytes).unwrap_or(usize::MAX);
            run.end = run.end.min(run.start.saturating_add(left));
            bytes += run.len() as u64;
            runs.push(run);
            id = *self
                .fat
                .get(id as usize)
                .ok_or_else(|| damaged("a chain leaves the sector table"))?;
        }
        Ok(runs)
    }

    fn small_chain(&self, first: u32, length: u64) -> Result<Vec<std::ops::Range<usize>>, Refusal> {
        let (mut runs, mut id, mut bytes) = (Vec::new(), first, 0);
        while id != END_OF_CHAIN && bytes < length {
            if runs.len() > self.small_fat.len() {
                return Err(damaged("a loop of small sectors"));
            }
            let start = *self
                .small
                .get(id as usize)
                .ok_or_else(|| damaged("a small sector that is not there"))?;
            let left = usize::try_from(length - bytes).unwrap_or(usize::MAX);
            let end = (start + SMALL_SECTOR.min(left)).min(self.bytes.len());
            bytes += (end - start) as u64;
            runs.push(start..end);
            id = *self
                .small_fat
                .get(id as usize)
                .ok_or_else(|| damaged("a chain leaves the table of small sectors"))?;
        }
        Ok(runs)
    }

    fn gather(&self, runs: &[std::ops::Range<usize>]) -> Vec<u8> {
        runs.iter().flat_map(|run| &self.bytes[run.clone()]).copied().collect()
    }

    /// A stream's bytes.
    pub(super) fn read(&self, stream: &Stream) -> Vec<u8> {
        self.gather(&stream.runs)
    }
}

impl Stream {
    /// Writes bytes of the stream into the file's.
    pub(super) fn patch(&self, file: &mut [u8], offset: usize, bytes: &[u8]) {
        let mut passed = 0;
        for run in &self.runs {
            for (at, byte) in bytes.iter().enumerate() {
                let place = offset + at;
                if (passed..passed + run.len()).contains(&place)
                    && let Some(target) = file.get_mut(run.start + place - passed)
                {
                    *target = *byte;
                }
            }
            passed += run.len();
        }
    }
}

fn entries(directory: &[u8], sector: usize) -> Vec<Entry> {
    let entry = |bytes: &[u8]| {
        let wide: Vec<u16> = bytes[..64]
            .chunks_exact(2)
            .map(|b| u16::from_le_bytes([b[0], b[1]]))
            .collect();
        let name = String::from_utf16_lossy(&wide);
        let low = u64::from(long(bytes, 120).unwrap_or(0));
        let high = if sector == 512 {
            0
        } else {
            u64::from(long(bytes, 124).unwrap_or(0))
        };
        Entry {
            name: name.split('\0').next().unwrap_or_default().to_owned(),
            start: long(bytes, 116).unwrap_or(END_OF_CHAIN),
            length: low | high << 32,
        }
    };
    directory.chunks_exact(ENTRY).map(entry).collect()
}

fn short(bytes: &[u8], at: usize) -> Result<u16, Refusal> {
    let two = bytes.get(at..at + 2).ok_or(Refusal::CutOff)?;
    Ok(u16::from_le_bytes([two[0], two[1]]))
}

fn long(bytes: &[u8], at: usize) -> Result<u32, Refusal> {
    let four = bytes.get(at..at + 4).ok_or(Refusal::CutOff)?;
    Ok(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

fn longs(bytes: &[u8]) -> Vec<u32> {
    let four = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    bytes.chunks_exact(4).map(four).collect()
}

fn damaged(what: &str) -> Refusal {
    Refusal::Damaged(what.to_owned())
}

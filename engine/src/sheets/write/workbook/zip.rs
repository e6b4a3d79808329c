//! The container of a workbook: a zip archive whose members come in blocks that are deflated already.
//!
//! The layout is that of APPNOTE 6.3.10. Sizes are known when a member ends: its header is written then, at the place that was
//! kept for it. There is room in it for the sizes of ZIP64, which is filled with what the Open Packaging Conventions
//! (ECMA-376 part 2, annex B) have for room where they are not needed: readers that know no ZIP64 meet none then.

use std::io::{Result, Seek, SeekFrom, Write};

use crc32fast::Hasher;

use super::deflate::Block;

/// A deflated block that holds nothing and is the last one.
const LAST: [u8; 2] = [0x03, 0x00];
/// 1980-01-01, the first day that a zip archive knows.
const DAY: u16 = 0x0021;
const DEFLATED: u16 = 8;
/// What stands where the true number is in the fields of ZIP64.
const ELSEWHERE: u32 = u32::MAX;

/// Writes members one after another.
pub(super) struct Container<W> {
    out: W,
    at: u64,
    members: Vec<Member>,
    open: Option<Open>,
}

/// A member that is being written.
struct Open {
    name: String,
    offset: u64,
    /// Bytes at its beginning that are told at its end.
    room: usize,
    /// Of what is behind those.
    crc: Hasher,
    size: u64,
}

/// A complete member.
#[derive(Clone, Debug, Default)]
struct Member {
    name: String,
    crc: u32,
    /// Bytes as they stand in the archive.
    packed: u64,
    /// Bytes of the content.
    size: u64,
    offset: u64,
}

impl<W: Write + Seek> Container<W> {
    /// An archive at the present position, which is taken for `at`.
    pub(super) fn new(out: W, at: u64) -> Self {
        Self {
            out,
            at,
            members: Vec::new(),
            open: None,
        }
    }

    /// Begins a member. Its first `room` bytes, 65,535 at most, are told when it ends.
    pub(super) fn begin(&mut self, name: &str, room: usize) -> Result<()> {
        let open = Open {
            name: name.to_owned(),
            offset: self.at,
            room,
            crc: Hasher::new(),
            size: 0,
        };
        let header = Member {
            name: open.name.clone(),
            ..Member::default()
        };
        self.write(&header.local_header())?;
        self.write(&stored(&vec![b' '; room]))?;
        self.open = Some(open);
        Ok(())
    }

    /// Adds a block to the open member.
    pub(super) fn add(&mut self, block: &Block) -> Result<()> {
        if let Some(open) = &mut self.open {
            open.crc.combine(&block.crc);
            open.size += block.size;
        }
        self.write(&block.bytes)
    }

    /// Ends the open member; `front` is what the room at its beginning was kept for, and just as long.
    pub(super) fn end(&mut self, front: &[u8]) -> Result<()> {
        let Some(open) = self.open.take().filter(|open| open.room == front.len()) else {
            return Err(std::io::Error::other("a member of another shape was begun"));
        };
        self.write(&LAST)?;
        let mut crc = Hasher::new();
        crc.update(front);
        crc.combine(&open.crc);
        let mut member = Member {
            name: open.name,
            crc: crc.finalize(),
            packed: 0,
            size: open.size + front.len() as u64,
            offset: open.offset,
        };
        let header = member.local_header().len() as u64;
        member.packed = self.at - open.offset - header;
        self.out.seek(SeekFrom::Start(open.offset))?;
        self.out.write_all(&member.local_header())?;
        self.out.write_all(&stored(front))?;
        self.out.seek(SeekFrom::Start(self.at))?;
        self.members.push(member);
        Ok(())
    }

    /// Completes the archive.
    pub(super) fn finish(mut self) -> Result<W> {
        let from = self.at;
        for member in std::mem::take(&mut self.members) {
            self.write(&member.central_header())?;
            self.members.push(member);
        }
        let end = end_of_directory(self.members.len() as u64, from, self.at - from);
        self.write(&end)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// Bytes as a deflated block that leaves them as they are: nothing for none.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let Some(length) = u16::try_from(bytes.len()).ok().filter(|length| *length > 0) else {
        return Vec::new();
    };
    let mut block = vec![0];
    block.extend(length.to_le_bytes());
    block.extend((!length).to_le_bytes());
    block.extend(bytes);
    block
}

/// A number for a field of 32 bits, and whether it stands elsewhere.
fn short(number: u64) -> (u32, bool) {
    match u32::try_from(number) {
        Ok(number) if number != ELSEWHERE => (number, false),
        _ => (ELSEWHERE, true),
    }
}

impl Member {
    /// What stands before the content, of one length for any size.
    fn local_header(&self) -> Vec<u8> {
        let is_large = short(self.size).1 || short(self.packed).1;
        let (size, packed, version) = if is_large {
            (ELSEWHERE, ELSEWHERE, 45)
        } else {
            (short(self.size).0, short(self.packed).0, 20)
        };
        let mut header = b"PK\x03\x04".to_vec();
        self.put_shared(&mut header, version, (packed, size));
        header.extend(20_u16.to_le_bytes());
        header.extend(self.name.as_bytes());
        if is_large {
            header.extend([0x01, 0x00, 16, 0]);
            header.extend(self.size.to_le_bytes());
            header.extend(self.packed.to_le_bytes());
        } else {
            header.extend([0x20, 0xA2, 16, 0, 0x28, 0xA0, 12, 0]);
            header.extend([0; 12]);
        }
        header
    }

    /// Its line in the directory.
    fn central_header(&self) -> Vec<u8> {
        let mut elsewhere = Vec::new();
        let mut field = |number: u64| {
            let (number, is_elsewhere) = match short(number) {
                (short, false) => (short, None),
                (short, true) => (short, Some(number)),
            };
            elsewhere.extend(is_elsewhere.map(u64::to_le_bytes).into_iter().flatten());
            number
        };
        let (size, packed, offset) = (field(self.size), field(self.packed), field(self.offset));
        let version: u16 = if elsewhere.is_empty() { 20 } else { 45 };
        let mut extra = Vec::new();
        if !elsewhere.is_empty() {
            extra.extend([0x01, 0x00]);
            extra.extend(length(&elsewhere).to_le_bytes());
            extra.append(&mut elsewhere);
        }
        let mut header = b"PK\x01\x02".to_vec();
        header.extend(version.to_le_bytes());
        self.put_shared(&mut header, version, (packed, size));
        header.extend(length(&extra).to_le_bytes());
        // No comment, the first disk, no attributes.
        header.extend([0; 10]);
        header.extend(offset.to_le_bytes());
        header.extend(self.name.as_bytes());
        header.extend(extra);
        header
    }

    /// What both headers say alike.
    fn put_shared(&self, header: &mut Vec<u8>, version: u16, (packed, size): (u32, u32)) {
        // No flags; midnight.
        for field in [version, 0, DEFLATED, 0, DAY] {
            header.extend(field.to_le_bytes());
        }
        for field in [self.crc, packed, size] {
            header.extend(field.to_le_bytes());
        }
        header.extend(length(self.name.as_bytes()).to_le_bytes());
    }
}

/// The length of a short field.
fn length(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX)
}

/// What an archive ends with: where its directory is, of how many members and bytes.
fn end_of_directory(count: u64, offset: u64, size: u64) -> Vec<u8> {
    let mut end = Vec::new();
    let members = u16::try_from(count).unwrap_or(u16::MAX);
    if members == u16::MAX || short(offset).1 || short(size).1 {
        end.extend(b"PK\x06\x06");
        end.extend(44_u64.to_le_bytes());
        end.extend([45, 0, 45, 0]);
        end.extend([0; 8]);
        for field in [count, count, size, offset] {
            end.extend(field.to_le_bytes());
        }
        end.extend(b"PK\x06\x07");
        end.extend([0; 4]);
        end.extend((offset + size).to_le_bytes());
        end.extend(1_u32.to_le_bytes());
    }
    end.extend(b"PK\x05\x06");
    end.extend([0; 4]);
    end.extend(members.to_le_bytes());
    end.extend(members.to_le_bytes());
    end.extend(short(size).0.to_le_bytes());
    end.extend(short(offset).0.to_le_bytes());
    end.extend([0; 2]);
    end
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::super::deflate::Press;
    use super::*;

    fn block(text: &str) -> Block {
        let mut press = Press::new(1);
        press.text().extend_from_slice(text.as_bytes());
        press.take(0).expect("a block")
    }

    #[test]
    fn blocks_and_the_room_before_them_are_one_member() {
        let mut zip = Container::new(Cursor::new(Vec::new()), 0);
        zip.begin("a", 5).expect("begun");
        zip.add(&block(" two")).expect("added");
        zip.add(&block(" three")).expect("added");
        zip.end(b" one ").expect("ended");
        zip.begin("b/c", 0).expect("begun");
        zip.end(b"").expect("ended");
        let bytes = zip.finish().expect("finished").into_inner();
        let mut read = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
        let mut text = String::new();
        read.by_name("a")
            .expect("there")
            .read_to_string(&mut text)
            .expect("sound");
        assert_eq!(text, " one  two three");
        assert_eq!(
            read.by_name("b/c")
                .expect("there")
                .read_to_string(&mut text)
                .expect("sound"),
            0
        );
    }

    #[test]
    fn members_beyond_four_gibibytes_are_found() {
        let far = 5 << 30;
        let mut file = tempfile::tempfile().expect("a file");
        file.seek(SeekFrom::Start(far)).expect("a file with a hole");
        let mut zip = Container::new(file, far);
        zip.begin("far", 3).expect("begun");
        zip.add(&block(" away")).expect("added");
        zip.end(b"far").expect("ended");
        let file = zip.finish().expect("finished");
        let mut read = zip::ZipArchive::new(file).expect("an archive");
        let mut text = String::new();
        read.by_index(0)
            .expect("there")
            .read_to_string(&mut text)
            .expect("sound");
        assert_eq!(text, "far away");
    }

    #[test]
    fn sizes_from_four_gibibytes_on_stand_in_zip64() {
        for size in [
            0,
            7,
            u64::from(u32::MAX) - 1,
            u64::from(u32::MAX),
            u64::from(u32::MAX) + 1,
            9 << 32,
        ] {
            for packed in [3, u64::from(u32::MAX) - 1, u64::from(u32::MAX), 6 << 32] {
                let member = Member {
                    name: "sheet".to_owned(),
                    crc: 5,
                    packed,
                    size,
                    offset: 0,
                };
                let local = member.local_header();
                assert_eq!(local.len(), 30 + 5 + 20, "its length is kept");
                let is_large = size >= u64::from(u32::MAX) || packed >= u64::from(u32::MAX);
                assert_eq!(local[4], if is_large { 45 } else { 20 });
                assert_eq!(local[35..37], if is_large { [0x01, 0x00] } else { [0x20, 0xA2] });
                // As an archive that is nothing but the header of a member and its directory.
                let central = member.central_header();
                let end = end_of_directory(1, local.len() as u64, central.len() as u64);
                let bytes = [local, central, end].concat();
                let mut read = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
                let found = read.by_index_raw(0).expect("there");
                assert_eq!((found.size(), found.compressed_size()), (size, packed));
            }
        }
    }
}

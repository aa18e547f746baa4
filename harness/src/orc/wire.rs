//! Messages on the wire: a header of 32 bytes and a payload. Everything is little-endian, whatever the target.

use std::io::{self, ErrorKind, IoSlice, Read, Write};

/// Bytes of a header: size, opcode, sequence number, tag, 8 bytes each.
pub const HEADER: usize = 32;

/// No message is longer. The protocol sets no limit; a damaged size must not keep us reading for ever, and several controllers
/// may send such a message at once.
pub const LONGEST: u64 = 1 << 28;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// The first message, from the executor: what it is.
    Setup,
    /// The sender goes.
    Hangup,
    /// The answer to a call.
    Result,
    /// A call of a wrapper function.
    CallWrapper,
}

impl Opcode {
    /// All of them, in the order of their numbers.
    pub const ALL: [Opcode; 4] = [Opcode::Setup, Opcode::Hangup, Opcode::Result, Opcode::CallWrapper];
}

/// Why there is no message.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The stream failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// It ended inside a message.
    #[error("the connection ended after {got} of {wanted} bytes of a message's {part}")]
    Truncated {
        /// Header or payload.
        part: &'static str,
        /// Bytes that should have come.
        wanted: u64,
        /// Bytes that came.
        got: u64,
    },
    /// The size does not even cover the header.
    #[error("a message says it has {0} bytes, expected at least {HEADER}")]
    TooShort(u64),
    /// The size is beyond all reason.
    #[error("a message says it has {0} bytes, expected at most {LONGEST}")]
    TooLong(u64),
    /// There is no such opcode.
    #[error("a message has opcode {0}, expected 0 to 3")]
    Opcode(u64),
}

/// The header of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of payload behind it.
    pub payload: u64,
    /// What the message is.
    pub opcode: Opcode,
    /// The number of a call, which its result repeats. Each side numbers its own calls from 0.
    pub sequence: u64,
    /// The function to call; 0 in all other messages.
    pub tag: u64,
}

impl Header {
    /// As bytes.
    pub fn encode(&self) -> [u8; HEADER] {
        let words = [self.payload.saturating_add(HEADER as u64), self.opcode as u64, self.sequence, self.tag];
        let mut bytes = [0; HEADER];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// From bytes. The size it promises is within bounds.
    pub fn decode(bytes: &[u8; HEADER]) -> Result<Header, WireError> {
        let mut words = [0; HEADER / 8];
        for (word, place) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = place.iter().rev().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
        }
        let [size, opcode, sequence, tag] = words;
        let payload = size.checked_sub(HEADER as u64).ok_or(WireError::TooShort(size))?;
        if size > LONGEST {
            return Err(WireError::TooLong(size));
        }
        let known = usize::try_from(opcode).ok().and_then(|number| Opcode::ALL.get(number));
        let opcode = *known.ok_or(WireError::Opcode(opcode))?;
        Ok(Header { payload, opcode, sequence, tag })
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is.
    pub opcode: Opcode,
    /// The number of a call, which its result repeats.
    pub sequence: u64,
    /// The function to call.
    pub tag: u64,
    /// What it says.
    pub payload: Vec<u8>,
}

impl Message {
    /// The answer to a call.
    pub fn result(sequence: u64, payload: Vec<u8>) -> Message {
        Message { opcode: Opcode::Result, sequence, tag: 0, payload }
    }

    /// A call of the function at `tag`.
    pub fn call(sequence: u64, tag: u64, payload: Vec<u8>) -> Message {
        Message { opcode: Opcode::CallWrapper, sequence, tag, payload }
    }

    /// Its header.
    pub fn header(&self) -> Header {
        let Message { opcode, sequence, tag, ref payload } = *self;
        Header { payload: payload.len() as u64, opcode, sequence, tag }
    }

    /// Writes it, in one piece where the stream takes it: a header that travels alone costs a round trip on TCP.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let header = self.header().encode();
        let written = match to.write_vectored(&[IoSlice::new(&header), IoSlice::new(&self.payload)]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => 0,
            written => written?,
        };
        to.write_all(header.get(written..).unwrap_or_default())?;
        to.write_all(self.payload.get(written.saturating_sub(HEADER)..).unwrap_or_default())?;
        to.flush()
    }

    /// Reads one. None when the stream ends where a message could begin: the other side has closed it.
    pub fn read(from: &mut impl Read) -> Result<Option<Message>, WireError> {
        let mut header = [0; HEADER];
        let mut got = 0;
        while got < HEADER {
            match from.read(&mut header[got..]) {
                Ok(0) if got == 0 => return Ok(None),
                Ok(0) => return Err(WireError::Truncated { part: "header", wanted: HEADER as u64, got: got as u64 }),
                Ok(count) => got += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        let Header { payload: wanted, opcode, sequence, tag } = Header::decode(&header)?;
        // Memory for what came, not for what was promised.
        let mut payload = Vec::new();
        let got = from.take(wanted).read_to_end(&mut payload)? as u64;
        if got < wanted {
            return Err(WireError::Truncated { part: "payload", wanted, got });
        }
        Ok(Some(Message { opcode, sequence, tag, payload }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message() -> impl Strategy<Value = Message> {
        (proptest::sample::select(&Opcode::ALL[..]), any::<u64>(), any::<u64>(), any::<Vec<u8>>())
            .prop_map(|(opcode, sequence, tag, payload)| Message { opcode, sequence, tag, payload })
    }

    /// Takes one byte at a time, and gives one at a time.
    struct Drip(std::collections::VecDeque<u8>);

    impl Read for Drip {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = into.len().min(1);
            self.0.read(&mut into[..count])
        }
    }

    impl Write for Drip {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.extend(bytes.first());
            Ok(bytes.len().min(1))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn messages_come_back(messages in proptest::collection::vec(message(), 0..4)) {
            let mut whole = Vec::new();
            let mut drip = Drip(Default::default());
            for message in &messages {
                message.write(&mut whole).unwrap();
                message.write(&mut drip).unwrap();
            }
            prop_assert!(drip.0.iter().eq(&whole));
            let mut from = whole.as_slice();
            for message in &messages {
                let [piece, drop] = [Message::read(&mut from).unwrap(), Message::read(&mut drip).unwrap()];
                prop_assert_eq!(piece.as_ref(), Some(message));
                prop_assert_eq!(drop.as_ref(), Some(message));
            }
            prop_assert!(Message::read(&mut from).unwrap().is_none());
            prop_assert!(Message::read(&mut drip).unwrap().is_none());
        }

        #[test]
        fn garbage_is_an_error_or_a_message(bytes in any::<Vec<u8>>()) {
            let _ = Message::read(&mut bytes.as_slice());
        }
    }

    #[test]
    fn bytes_of_a_session() {
        // The first call of a session of llvm-jitlink 19.
        let mut bytes = vec![0x38, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 0, 0xd0, 0x10, 0, 0x70, 0, 0, 0, 0]);
        bytes.extend([0xc0, 0x10, 0, 0x70, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let message = Message::read(&mut bytes.as_slice()).expect("valid").expect("there");
        assert_eq!(message, Message::call(0, 0x7000_10d0, bytes[HEADER..].to_vec()));
        let mut written = Vec::new();
        message.write(&mut written).expect("a vector takes it");
        assert_eq!(written, bytes);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let header = |size: u64, opcode: u64| [size, opcode, 0, 0].map(u64::to_le_bytes).concat();
        for (bytes, says) in [
            (header(31, 0), "says it has 31 bytes, expected at least 32"),
            (header(u64::MAX, 0), "says it has 18446744073709551615 bytes, expected at most"),
            (header(32, 4), "opcode 4"),
            (header(33, 3), "ended after 0 of 1 bytes of a message's payload"),
            (header(LONGEST, 3), "of a message's payload"),
            (header(32, 0)[..31].to_vec(), "ended after 31 of 32 bytes of a message's header"),
        ] {
            let error = Message::read(&mut bytes.as_slice()).expect_err(says).to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}

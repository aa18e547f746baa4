//! gdb's `monitor` commands: what a linker knows and a debugger does not.

use linker::link::Finalized;

use crate::linking::number;
use crate::suspects;

/// What is known of a program besides what is in its memory.
pub trait Knows: Sync {
    /// The relocation at an address, or nearest to it, in lines. `read` fills a buffer from an address on.
    fn relocation(&self, address: u64, read: &mut dyn FnMut(u64, &mut [u8]) -> bool) -> Result<Vec<String>, String>;

    /// How far the program is from where its file says.
    fn bias(&self) -> u64 {
        0
    }
}

impl<H: Sync> Knows for Finalized<'_, H> {
    fn relocation(&self, address: u64, read: &mut dyn FnMut(u64, &mut [u8]) -> bool) -> Result<Vec<String>, String> {
        let nearest = suspects::nearest(self, address, read);
        nearest
            .map(|suspect| suspects::lines(&suspect))
            .ok_or_else(|| format!("no relocation is near {address:#x}: its section has none, or it is in none"))
    }
}

/// A program that somebody else linked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Foreign {
    /// How far it is from where its file says.
    pub bias: u64,
}

impl Knows for Foreign {
    fn relocation(&self, _: u64, _: &mut dyn FnMut(u64, &mut [u8]) -> bool) -> Result<Vec<String>, String> {
        Err("this program was linked before: `harness exec` knows the relocations of what it links itself, from objects".to_owned())
    }

    fn bias(&self) -> u64 {
        self.bias
    }
}

const HELP: &str = "\
monitor reloc ADDRESS   the relocation at this address or nearest to it: its kind, S, A and P, the value, and whether its field is right
monitor help            this
ADDRESS is a number: $pc and symbols are gdb's, as in: eval \"monitor reloc %#lx\", (long) $pc
";

/// Answers a command.
pub(super) fn answer(command: &[u8], known: &dyn Knows, read: &mut dyn FnMut(u64, &mut [u8]) -> bool) -> String {
    let text = String::from_utf8_lossy(command);
    let mut words = text.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some("reloc"), Some(address), None) => match number::address(address) {
            Err(_) => format!("`{address}` is not an address: a number is expected, for instance 0x400000\n"),
            Ok(address) => match known.relocation(address, read) {
                Ok(lines) => lines.join("\n  ") + "\n",
                Err(why) => why + "\n",
            },
        },
        (Some("reloc"), None, _) => "monitor reloc ADDRESS: of which address?\n".to_owned(),
        (None | Some("help"), None, _) => HELP.to_owned(),
        _ => format!("there is no such command: {text}\n{HELP}"),
    }
}

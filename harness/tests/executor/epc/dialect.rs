//! A controller of our own in the dialect that LLVM's main branch speaks since its run-time is `orc-rt`: other names, no flags of
//! symbols, and a reason where it hangs up.

use harness::orc::error::ServeError;
use harness::orc::sps::{self, Error, Expected};
use harness::orc::wire::{Message, Opcode};
use harness::orc::{AddressRange, AllocationAction, FinalizeRequest, Segment, WrapperCall};

use super::support::{Client, Code, Objects, session};

const LOAD: &str = "orc_rt_ci_sps_NativeDylibManager_load";
const LOOKUP: &str = "orc_rt_ci_sps_NativeDylibManager_lookup";
const PAGE: u64 = 0x1000;

/// The name of something that has memory.
fn memory(what: &str) -> String {
    format!("orc_rt_ci_sps_SimpleNativeMemoryMap_{what}")
}

/// The name of something that reads or writes.
fn access(what: &str) -> String {
    format!("orc_rt_ci_sps_mem_{what}")
}

#[test]
fn a_session_of_the_main_branch() {
    let objects = Objects::new("armv7");
    let source = "
        int main(int argc, char **argv) { return argc * 16 + argv[0][0] - 'a'; }
        void nothing(void) {}
        int seven(void) { return 7; }
    ";
    let code = Code::compile(&objects, source);
    session("armv7", |mut client| {
        let c = &mut client;
        let libraries = c.symbol("orc_rt_ci_NativeDylibManager_Instance");
        let map = c.symbol("orc_rt_ci_SimpleNativeMemoryMap_Instance");
        // With a mode, as LLVM 23 sends it, and without one.
        let handle = c.call::<Expected<u64>>(LOAD, &(libraries, "", 0u64)).0.expect("a handle");
        assert_eq!(c.call::<Expected<u64>>(LOAD, &(libraries, "")).0, Ok(handle));
        let missing = c.call::<Expected<u64>>(LOAD, &(libraries, "libm.so")).0.expect_err("no files");
        assert!(missing.contains("libm.so: this machine has no files"), "{missing}");
        // Addresses and no flags; who is not there has none if it has to be, and 0 if not.
        let names = [("puts", true), ("nope", true), ("nope", false)];
        let found = c.call::<Expected<Vec<Option<u64>>>>(LOOKUP, &(libraries, handle, names.as_slice()));
        let found = found.0.expect("an answer");
        assert!(matches!(found[..], [Some(1..), None, Some(0)]), "{found:?}");
        let error = c.call::<Expected<Vec<Option<u64>>>>(LOOKUP, &(libraries, 5u64, names.as_slice())).0;
        assert!(error.is_err_and(|why| why.contains("0x5 is not the handle")));
        // Memory, with call frames and debug information registered by actions.
        let base = c.call::<Expected<u64>>(&memory("reserve"), &(map, 2 * PAGE)).0.expect("room");
        let range = sps::encode(&AddressRange { start: base, end: base + 8 });
        let action = |name: &str| WrapperCall { function: c.symbol(name), arguments: &range };
        let pair = |finalize: &str, deallocate: &str| AllocationAction {
            finalize: action(&format!("orc_rt_ci_aa_sps_{finalize}")),
            deallocate: action(&format!("orc_rt_ci_aa_sps_{deallocate}")),
        };
        let request = FinalizeRequest {
            segments: vec![
                Segment { group: 5, address: base, size: PAGE, content: &code.bytes },
                Segment { group: 3, address: base + PAGE, size: PAGE, content: b"text" },
            ],
            actions: vec![
                pair("DWARFEHFrameRegistrar_registerSection", "DWARFEHFrameRegistrar_deregisterSection"),
                pair("GDBJITRegistrar_register", "GDBJITRegistrar_deregister"),
            ],
        };
        assert_eq!(c.call::<Expected<u64>>(&memory("initialize"), &(map, request)).0, Ok(base));
        let main = base + code.at("main");
        assert_eq!(c.call::<i64>("orc_rt_ci_sps_call_main", &(main, vec!["c", "b"])), 34);
        // A result that says nothing, whatever the function returns.
        for name in ["nothing", "seven"] {
            let function = base + code.at(name);
            assert_eq!(c.raw(c.symbol("orc_rt_ci_sps_call_void_void"), sps::encode(&function)), b"");
        }
        let at = base + PAGE;
        let () = c.call(&access("write_uint16s"), &vec![(at, 0x6f6eu16)]);
        let () = c.call(&access("write_pointers"), &vec![(at + 8, at)]);
        let () = c.call(&access("write_buffers"), &vec![(at + 2, &b"w!"[..])]);
        assert_eq!(c.call::<Vec<String>>(&access("read_strings"), &vec![at]), ["now!"]);
        assert_eq!(c.call::<Vec<u64>>(&access("read_pointers"), &vec![at + 8]), [at]);
        for what in ["deinitializeMultiple", "releaseMultiple"] {
            assert_eq!(c.call::<Error>(&memory(what), &(map, vec![base])).0, Ok(()));
        }
        c.say(&Message { opcode: Opcode::Hangup, sequence: 0, tag: 0, payload: sps::encode(&Error(Ok(()))) });
    })
    .well();
}

/// All that is offered under a name of LLVM 19 to 22 is offered under the one that came for it.
#[test]
fn every_name_has_its_successor() {
    session("aarch64", |client| {
        let names: Vec<&String> = client.setup.symbols.iter().map(|(name, _)| name).collect();
        let old =
            names.iter().filter_map(|name| name.strip_prefix("__llvm_orc_bootstrap_mem_")?.strip_suffix("_wrapper"));
        let old: Vec<&str> = old.collect();
        assert_eq!(old.len(), 13);
        for what in old {
            client.symbol(&access(what));
        }
    })
    .well();
}

/// Up to LLVM 23, whatever a hang-up carries means nothing; after it, it may be a reason, which is ours to report.
#[test]
fn controllers_hang_up() {
    let say = |sequence, tag, payload: Vec<u8>| {
        session("thumbv7", |mut client: Client| {
            client.say(&Message { opcode: Opcode::Hangup, sequence, tag, payload });
        })
    };
    let (none, reason) = (sps::encode(&Error(Ok(()))), sps::encode(&Error(Err("the link failed".to_owned()))));
    for (sequence, tag, payload) in [(0, 0, none), (0, 0, Vec::new()), (3, 7, Vec::new()), (3, 7, vec![0xff; 5])] {
        say(sequence, tag, payload).well();
    }
    let ended = say(0, 0, reason).ended;
    assert!(matches!(&ended, Err(ServeError::HungUp(why)) if why == "the link failed"), "{ended:?}");
}

//! The table of functions that an executor offers by name: the union of what LLVM 18 to 23 and its main branch ask for, as they
//! ignore what they do not know. (Up to LLVM 17 `lookup` has another result under the same name.)
//!
//! The names that begin with `orc_rt_ci_` are those of the project `orc-rt`, to which LLVM moves its executor piece by piece: the
//! memory in LLVM 23, all else after it.

use super::session::{Function, PROCESS, Session};
use crate::executor::Executor;
use crate::orc::sps::{self, Decode, Encode};
use crate::orc::{AddressRange, FinalizeRequest, SymbolDefinition};

/// A sequence of pairs, for functions that take more than one address.
type Pairs<T> = Vec<(u64, T)>;
/// The set that a lookup asks for: names, and whether they have to be there.
type Names<'a> = Vec<(&'a [u8], bool)>;

/// All of it. What has no function is an object, of which only the address matters.
#[rustfmt::skip]
pub(super) fn functions<E: Executor>() -> Vec<(&'static str, Option<Function<E>>)> {
    // How memory is given back is the same in all generations, only the names differ.
    let deinitialize: Function<E> = |s, a| fallible(a, |(_, keys): (u64, Vec<u64>)| s.deinitialize(&keys));
    let release: Function<E> = |s, a| fallible(a, |(_, bases): (u64, Vec<u64>)| s.release(&bases));
    let reserve: Function<E> = |s, a| expected(a, |(_, size): (u64, u64)| s.reserve(size));
    let initialize: Function<E> = |s, a| expected(a, |(_, request): (u64, FinalizeRequest<'_>)| s.initialize(&request));
    // Call frames are the machine's own business; nothing in it unwinds.
    let frames: Function<E> = |_, a| fallible(a, |_: AddressRange| Ok(()));
    let main: Function<E> = |s, a| {
        plain(a, |(function, arguments): (u64, Vec<&[u8]>)| s.run_as_main(function, &arguments))
    };
    let debugger: Function<E> = |s, a| fallible(a, |(range, _): (AddressRange, bool)| {
        s.register(&range);
        Ok(())
    });
    let mut table: Vec<(&'static str, Option<Function<E>>)> = vec![
        // Calls from the machine to the controller, which nothing that runs here makes.
        ("__llvm_orc_SimpleRemoteEPC_dispatch_ctx", None),
        ("__llvm_orc_SimpleRemoteEPC_dispatch_fn", None),

        ("__llvm_orc_SimpleExecutorDylibManager_Instance", None),
        ("__llvm_orc_SimpleExecutorDylibManager_open_wrapper", Some(|s, a| {
            expected(a, |(_, path, mode): (u64, &[u8], u64)| s.open(path, mode))
        })),
        ("__llvm_orc_SimpleExecutorDylibManager_lookup_wrapper", Some(|s, a| {
            expected(a, |(_, handle, names): (u64, u64, Names<'_>)| definitions(s, handle, &names))
        })),
        // LLVM 22 and 23, told apart by their first argument.
        ("__llvm_orc_SimpleExecutorDylibManager_resolve_wrapper", Some(resolve)),
        // After LLVM 23. Those that still send a mode send none but 0, behind the path.
        ("orc_rt_ci_NativeDylibManager_Instance", None),
        ("orc_rt_ci_sps_NativeDylibManager_load", Some(|s, a| {
            expected(a, |(_, path): (u64, &[u8])| s.open(path, 0))
        })),
        ("orc_rt_ci_sps_NativeDylibManager_lookup", Some(|s, a| {
            expected(a, |(_, handle, names): (u64, u64, Names<'_>)| optional(s, handle, &names))
        })),

        ("__llvm_orc_SimpleExecutorMemoryManager_Instance", None),
        ("__llvm_orc_SimpleExecutorMemoryManager_reserve_wrapper", Some(reserve)),
        ("__llvm_orc_SimpleExecutorMemoryManager_finalize_wrapper", Some(|s, a| {
            fallible(a, |(_, request): (u64, FinalizeRequest<'_>)| s.finalize(&request))
        })),
        ("__llvm_orc_SimpleExecutorMemoryManager_deallocate_wrapper", Some(release)),
        // LLVM 22.
        ("__llvm_orc_SimpleExecutorMemoryManager_initialize_wrapper", Some(initialize)),
        ("__llvm_orc_SimpleExecutorMemoryManager_deinitialize_wrapper", Some(deinitialize)),
        ("__llvm_orc_SimpleExecutorMemoryManager_release_wrapper", Some(release)),
        // LLVM 23.
        ("orc_rt_ci_SimpleNativeMemoryMap_Instance", None),
        ("orc_rt_ci_sps_SimpleNativeMemoryMap_reserve", Some(reserve)),
        ("orc_rt_ci_sps_SimpleNativeMemoryMap_initialize", Some(initialize)),
        ("orc_rt_ci_sps_SimpleNativeMemoryMap_deinitializeMultiple", Some(deinitialize)),
        ("orc_rt_ci_sps_SimpleNativeMemoryMap_releaseMultiple", Some(release)),

        ("__llvm_orc_bootstrap_run_as_main_wrapper", Some(main)),
        ("orc_rt_ci_sps_call_main", Some(main)),
        ("__llvm_orc_bootstrap_run_as_void_function_wrapper", Some(|s, a| {
            plain(a, |function: u64| s.run(function, &[]))
        })),
        ("__llvm_orc_bootstrap_run_as_int_function_wrapper", Some(|s, a| {
            plain(a, |(function, argument): (u64, i32)| s.run(function, &[u64::from(argument as u32)]))
        })),
        // This one has no result, unlike its namesake above.
        ("orc_rt_ci_sps_call_void_void", Some(|s, a| plain(a, |function: u64| s.run(function, &[]).map(drop)))),

        ("llvm_orc_registerEHFrameSectionWrapper", Some(frames)),
        ("llvm_orc_deregisterEHFrameSectionWrapper", Some(frames)),
        ("llvm_orc_registerEHFrameAllocAction", Some(frames)),
        ("llvm_orc_deregisterEHFrameAllocAction", Some(frames)),
        ("llvm_orc_registerJITLoaderGDBWrapper", Some(debugger)),
        ("llvm_orc_registerJITLoaderGDBAllocAction", Some(debugger)),
        ("orc_rt_ci_aa_sps_DWARFEHFrameRegistrar_registerSection", Some(frames)),
        ("orc_rt_ci_aa_sps_DWARFEHFrameRegistrar_deregisterSection", Some(frames)),
        // Those of the debugger have a range and nothing else now, as those of call frames have.
        ("orc_rt_ci_aa_sps_GDBJITRegistrar_register", Some(|s, a| fallible(a, |range: AddressRange| {
            s.register(&range);
            Ok(())
        }))),
        ("orc_rt_ci_aa_sps_GDBJITRegistrar_deregister", Some(|s, a| fallible(a, |range: AddressRange| {
            s.deregister(&range);
            Ok(())
        }))),
    ];
    table.extend(memory_access());
    table
}

/// Memory written and read by the controller. After LLVM 23 it has other names.
#[rustfmt::skip]
fn memory_access<E: Executor>() -> Vec<(&'static str, Option<Function<E>>)> {
    macro_rules! under_both_names {
        ($($what:literal => $function:expr,)*) => {
            vec![$(
                (concat!("__llvm_orc_bootstrap_mem_", $what, "_wrapper"), Some($function)),
                (concat!("orc_rt_ci_sps_mem_", $what), Some($function)),
            )*]
        };
    }
    under_both_names! {
        "write_uint8s" => |s, a| plain(a, |pairs: Pairs<u8>| s.write_numbers(&pairs)),
        "write_uint16s" => |s, a| plain(a, |pairs: Pairs<u16>| s.write_numbers(&pairs)),
        "write_uint32s" => |s, a| plain(a, |pairs: Pairs<u32>| s.write_numbers(&pairs)),
        "write_uint64s" => |s, a| plain(a, |pairs: Pairs<u64>| s.write_numbers(&pairs)),
        "write_pointers" => |s, a| plain(a, |pairs: Pairs<u64>| s.write_pointers(&pairs)),
        "write_buffers" => |s, a| plain(a, |pairs: Pairs<&[u8]>| s.write_buffers(&pairs)),
        "read_uint8s" => |s, a| plain(a, |at: Vec<u64>| s.read_numbers::<u8>(&at)),
        "read_uint16s" => |s, a| plain(a, |at: Vec<u64>| s.read_numbers::<u16>(&at)),
        "read_uint32s" => |s, a| plain(a, |at: Vec<u64>| s.read_numbers::<u32>(&at)),
        "read_uint64s" => |s, a| plain(a, |at: Vec<u64>| s.read_numbers::<u64>(&at)),
        "read_pointers" => |s, a| plain(a, |at: Vec<u64>| s.read_pointers(&at)),
        "read_buffers" => |s, a| plain(a, |ranges: Vec<AddressRange>| s.read_buffers(&ranges)),
        "read_strings" => |s, a| plain(a, |at: Vec<u64>| s.read_strings(&at)),
    }
}

fn definition(address: u64) -> SymbolDefinition {
    SymbolDefinition { address, flags: SymbolDefinition::EXPORTED, target_flags: 0 }
}

/// LLVM 18 to 21: a name that has to be there and is not fails the whole lookup.
fn definitions<E: Executor>(
    s: &Session<'_, E>,
    handle: u64,
    names: &Names<'_>,
) -> Result<Vec<SymbolDefinition>, String> {
    let found = s.look_up(handle, names)?;
    match names.iter().zip(&found).find(|((_, required), address)| *required && **address == 0) {
        Some(((name, _), _)) => Err(format!("Missing definition for {}", String::from_utf8_lossy(name))),
        None => Ok(found.into_iter().map(definition).collect()),
    }
}

/// From LLVM 22 on, a name that has to be there and is not has no value.
fn optional<E: Executor>(s: &Session<'_, E>, handle: u64, names: &Names<'_>) -> Result<Vec<Option<u64>>, String> {
    let found = s.look_up(handle, names)?;
    let one = |((_, required), address): (&(&[u8], bool), u64)| (!required || address != 0).then_some(address);
    Ok(names.iter().zip(found).map(one).collect())
}

/// LLVM 22 and 23.
fn resolve<E: Executor>(s: &mut Session<'_, E>, arguments: &[u8]) -> Result<Vec<u8>, String> {
    let first = sps::decode::<u64>(arguments);
    if first == Ok(PROCESS) {
        return expected(arguments, |(handle, names): (u64, Names<'_>)| {
            let found = optional(s, handle, &names)?;
            Ok(found.into_iter().map(|address| address.map(definition)).collect::<Vec<_>>())
        });
    }
    expected(arguments, |(_, handle, names): (u64, u64, Names<'_>)| optional(s, handle, &names))
}

/// A function whose result can be an error: bad arguments and failures travel in it.
fn expected<'a, A: Decode<'a>, T: Encode>(
    arguments: &'a [u8],
    function: impl FnOnce(A) -> Result<T, String>,
) -> Result<Vec<u8>, String> {
    Ok(sps::encode(&sps::Expected(apply(arguments, function))))
}

/// The same, when there is nothing but success.
fn fallible<'a, A: Decode<'a>>(
    arguments: &'a [u8],
    function: impl FnOnce(A) -> Result<(), String>,
) -> Result<Vec<u8>, String> {
    Ok(sps::encode(&sps::Error(apply(arguments, function))))
}

/// A function whose result cannot be an error.
fn plain<'a, A: Decode<'a>, T: Encode>(
    arguments: &'a [u8],
    function: impl FnOnce(A) -> Result<T, String>,
) -> Result<Vec<u8>, String> {
    apply(arguments, function).map(|value| sps::encode(&value))
}

/// Calls a function with what its arguments say.
fn apply<'a, A: Decode<'a>, T>(
    arguments: &'a [u8],
    function: impl FnOnce(A) -> Result<T, String>,
) -> Result<T, String> {
    sps::decode(arguments).map_err(|error| format!("bad arguments: {error}")).and_then(function)
}

//! The table of functions that an executor offers by name: the union of what LLVM 18 to 23 ask for, as they ignore what
//! they do not know. (Up to LLVM 17 `lookup` has another result under the same name.)

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
    // Call frames and debug information are the machine's own business; nothing here unwinds it.
    let frames: Function<E> = |_, a| fallible(a, |_: AddressRange| Ok(()));
    let debugger: Function<E> = |_, a| fallible(a, |_: (AddressRange, bool)| Ok(()));
    vec![
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

        ("__llvm_orc_bootstrap_run_as_main_wrapper", Some(|s, a| {
            plain(a, |(function, arguments): (u64, Vec<&[u8]>)| s.run_as_main(function, &arguments))
        })),
        ("__llvm_orc_bootstrap_run_as_void_function_wrapper", Some(|s, a| {
            plain(a, |function: u64| s.run(function, &[]))
        })),
        ("__llvm_orc_bootstrap_run_as_int_function_wrapper", Some(|s, a| {
            plain(a, |(function, argument): (u64, i32)| s.run(function, &[u64::from(argument as u32)]))
        })),

        ("llvm_orc_registerEHFrameSectionWrapper", Some(frames)),
        ("llvm_orc_deregisterEHFrameSectionWrapper", Some(frames)),
        ("llvm_orc_registerEHFrameAllocAction", Some(frames)),
        ("llvm_orc_deregisterEHFrameAllocAction", Some(frames)),
        ("llvm_orc_registerJITLoaderGDBWrapper", Some(debugger)),
        ("llvm_orc_registerJITLoaderGDBAllocAction", Some(debugger)),

        ("__llvm_orc_bootstrap_mem_write_uint8s_wrapper", Some(|s, a| plain(a, |pairs: Pairs<u8>| s.write_numbers(&pairs)))),
        ("__llvm_orc_bootstrap_mem_write_uint16s_wrapper", Some(|s, a| plain(a, |pairs: Pairs<u16>| s.write_numbers(&pairs)))),
        ("__llvm_orc_bootstrap_mem_write_uint32s_wrapper", Some(|s, a| plain(a, |pairs: Pairs<u32>| s.write_numbers(&pairs)))),
        ("__llvm_orc_bootstrap_mem_write_uint64s_wrapper", Some(|s, a| plain(a, |pairs: Pairs<u64>| s.write_numbers(&pairs)))),
        ("__llvm_orc_bootstrap_mem_write_pointers_wrapper", Some(|s, a| plain(a, |pairs: Pairs<u64>| s.write_pointers(&pairs)))),
        ("__llvm_orc_bootstrap_mem_write_buffers_wrapper", Some(|s, a| plain(a, |pairs: Pairs<&[u8]>| s.write_buffers(&pairs)))),
        ("__llvm_orc_bootstrap_mem_read_uint8s_wrapper", Some(|s, a| plain(a, |at: Vec<u64>| s.read_numbers::<u8>(&at)))),
        ("__llvm_orc_bootstrap_mem_read_uint16s_wrapper", Some(|s, a| plain(a, |at: Vec<u64>| s.read_numbers::<u16>(&at)))),
        ("__llvm_orc_bootstrap_mem_read_uint32s_wrapper", Some(|s, a| plain(a, |at: Vec<u64>| s.read_numbers::<u32>(&at)))),
        ("__llvm_orc_bootstrap_mem_read_uint64s_wrapper", Some(|s, a| plain(a, |at: Vec<u64>| s.read_numbers::<u64>(&at)))),
        ("__llvm_orc_bootstrap_mem_read_pointers_wrapper", Some(|s, a| plain(a, |at: Vec<u64>| s.read_pointers(&at)))),
        ("__llvm_orc_bootstrap_mem_read_buffers_wrapper", Some(|s, a| plain(a, |ranges: Vec<AddressRange>| s.read_buffers(&ranges)))),
        ("__llvm_orc_bootstrap_mem_read_strings_wrapper", Some(|s, a| plain(a, |at: Vec<u64>| s.read_strings(&at)))),
    ]
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

/// LLVM 22 and 23: a name that has to be there and is not has no value.
fn resolve<E: Executor>(s: &mut Session<'_, E>, arguments: &[u8]) -> Result<Vec<u8>, String> {
    let optional = |s: &Session<'_, E>, handle, names: &Names<'_>| -> Result<Vec<Option<u64>>, String> {
        let found = s.look_up(handle, names)?;
        let one = |((_, required), address): (&(&[u8], bool), u64)| (!required || address != 0).then_some(address);
        Ok(names.iter().zip(found).map(one).collect())
    };
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

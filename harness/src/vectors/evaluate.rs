//! The numbers of a scene, by nothing but the ABI.

use corpus::abi::{Inputs, Refusal, Relocation};
use linker::Target;

use crate::proof::scene::{Aim, Scene, ZERO};

/// Where the thread-local image of every vector is.
pub(super) const TLS: u64 = 0x2800_0000;

/// What the ABI says of a scene.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evaluated {
    /// What the formula is made of.
    pub(super) inputs: Inputs,
    /// X.
    pub(super) x: i64,
    /// The word that comes of it.
    pub(super) outcome: Result<u64, Refusal>,
}

/// None if only a loader knows.
pub(super) fn evaluate(target: &Target, relocation: &Relocation, scene: &Scene) -> Option<Evaluated> {
    let inputs = inputs(target, scene);
    let x = relocation.value(&inputs)?;
    let thumb = match scene.aim {
        Aim::Function(_, thumb) => Some(thumb),
        _ => None,
    };
    Some(Evaluated { inputs, x, outcome: relocation.expected(scene.word, x, thumb) })
}

/// The addresses that go with a scene.
fn inputs(target: &Target, scene: &Scene) -> Inputs {
    let got = scene.got.unwrap_or(0);
    let entry = target.wrap(got.wrapping_add(scene.before * target.pointer_bytes() as u64));
    let (s, t) = match scene.aim {
        Aim::Label(address) => (address, false),
        Aim::Function(address, thumb) => (address, thumb),
        Aim::Inside(offset) => (ZERO + offset, false),
        Aim::ThreadLocal(offset) => (TLS + offset, false),
        Aim::Origin => (got, false),
        Aim::Nothing => (0, false),
    };
    Inputs {
        s: target.wrap(s),
        a: scene.a,
        p: target.wrap(scene.p),
        t,
        entry,
        got,
        // The null symbol has the origin of the table, and a symbol that of its segment.
        base: if matches!(scene.aim, Aim::Inside(_)) { ZERO } else { got },
        tls: TLS,
        // Variant 1: two words, and then the image.
        tp: TLS - 2 * target.pointer_bytes() as u64,
        descriptor: entry,
    }
}

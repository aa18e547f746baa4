//! Smaller programs that are still wrong in the same way.

use super::model::{Check, How, Id, Program, Shape, Use, What};
use crate::shrink;

/// The smallest program that was found for which `still` says that it is wrong as before. It is asked at most `limit` times.
pub fn reduce(program: &Program, limit: usize, mut still: impl FnMut(&Program) -> bool) -> Program {
    let mut best = program.clone();
    let mut asked = 0;
    let mut ask = |candidate: &Program, best: &mut Program| {
        let better = asked < limit && *candidate != *best && {
            asked += 1;
            still(candidate)
        };
        if better {
            *best = candidate.clone();
        }
        better
    };
    loop {
        let before = best.clone();
        drop_items(&mut best, &mut ask);
        drop_objects(&mut best, &mut ask);
        simplify(&mut best, &mut ask);
        if best == before {
            return best;
        }
    }
}

type Ask<'a> = dyn FnMut(&Program, &mut Program) -> bool + 'a;

/// Drops runs of items, long ones first.
fn drop_items(best: &mut Program, ask: &mut Ask<'_>) {
    let whole = best.clone();
    let ids: Vec<Id> = whole.items.iter().map(|item| item.id).collect();
    shrink::smallest(ids, usize::MAX, |kept| ask(&whole.retain(|item| kept.contains(&item.id)), best));
}

/// Moves everything from one object into the one before.
fn drop_objects(best: &mut Program, ask: &mut Ask<'_>) {
    for object in (1..best.archived.len()).rev() {
        let mut candidate = best.clone();
        candidate.archived.remove(object);
        let moved = |at: usize| if at >= object { at - 1 } else { at };
        for item in &mut candidate.items {
            item.object = moved(item.object);
            match &mut item.what {
                What::Group { members, .. } => {
                    members.iter_mut().for_each(|member| member.0 = moved(member.0));
                    members.dedup_by_key(|member| member.0);
                }
                What::Common { parts } => {
                    parts.iter_mut().for_each(|part| part.0 = moved(part.0));
                    parts.dedup_by_key(|part| part.0);
                }
                What::Nowhere { decoy } => *decoy = decoy.filter(|at| *at != object).map(moved),
                _ => {}
            }
        }
        candidate.items.sort_by_key(|item| item.object);
        candidate.settle();
        ask(&candidate, best);
    }
}

/// Makes single items simpler.
fn simplify(best: &mut Program, ask: &mut Ask<'_>) {
    for index in 0..best.items.len() {
        let mut variants: Vec<What> = Vec::new();
        let Some(item) = best.items.get(index) else { break };
        let what = item.what.clone();
        match &what {
            What::Data(data) => {
                for change in 0..4 {
                    let mut data = data.clone();
                    match change {
                        0 => data.before = 0,
                        1 => data.align = 4,
                        2 => data.words.truncate(1),
                        _ => data.binding = super::model::Binding::Global,
                    }
                    variants.push(What::Data(data));
                }
            }
            What::Function(function) => {
                for change in 0..4 {
                    let mut function = function.clone();
                    match change {
                        0 => function.calls = None,
                        1 => function.align = 4,
                        2 => function.section = ".text".to_owned(),
                        _ => function.binding = super::model::Binding::Global,
                    }
                    variants.push(What::Function(function));
                }
            }
            What::Pointers { section, entries } if entries.len() > 1 => {
                for dropped in 1..entries.len() {
                    let mut entries = entries.clone();
                    entries.truncate(dropped);
                    variants.push(What::Pointers { section: section.clone(), entries });
                }
            }
            What::Piece(piece) => {
                let mut piece = piece.clone();
                piece.words.truncate(1);
                variants.push(What::Piece(piece));
            }
            What::Nowhere { decoy: Some(_) } => variants.push(What::Nowhere { decoy: None }),
            What::Check(check) => variants.extend(simpler_checks(check).into_iter().map(What::Check)),
            _ => {}
        }
        for what in variants {
            let mut candidate = best.clone();
            if let Some(item) = candidate.items.get_mut(index) {
                item.what = what;
            }
            candidate.settle();
            // What was dropped along moved the rest.
            if candidate.items.len() == best.items.len() {
                ask(&candidate, best);
            }
        }
    }
}

fn simpler_checks(check: &Check) -> Vec<Check> {
    let with = |how: How| Check { how, ..check.clone() };
    let mut checks = vec![Check { section: ".text".to_owned(), ..check.clone() }];
    let How::References { list, order } = &check.how else { return checks };
    if !order.is_empty() {
        checks.push(with(How::References { list: list.clone(), order: Vec::new() }));
    }
    let refers_back = list.iter().any(|sequence| matches!(sequence.then, Use::Same(_)));
    for dropped in 0..list.len() {
        if list.len() > 1 && (!refers_back || dropped + 1 == list.len()) {
            let mut list = list.clone();
            list.remove(dropped);
            checks.push(with(How::References { list, order: order.clone() }));
        }
    }
    for index in 0..list.len() {
        let mut simpler = list.clone();
        simpler[index].shape = Shape::Straight;
        checks.push(with(How::References { list: simpler, order: order.clone() }));
        if list[index].addend > 0 {
            let mut simpler = list.clone();
            simpler[index].addend = 0;
            checks.push(with(How::References { list: simpler, order: order.clone() }));
        }
    }
    checks
}

//! Reading formulas.

use super::{Entry, Node, Term};

pub(super) struct Parser<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Parser<'a> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.rest = &self.rest[wanted.len_utf8()..];
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) { Ok(()) } else { Err(format!("expected `{wanted}` before `{}`", self.rest)) }
    }

    /// A chain of `|`, of chains of `+` and `-`.
    pub(super) fn sum(&mut self, level: char) -> Result<Node, String> {
        let operand = |parser: &mut Parser<'a>| if level == '|' { parser.sum('+') } else { parser.atom() };
        let operators: &[char] = if level == '|' { &['|'] } else { &['+', '-'] };
        let mut left = operand(self)?;
        while let Some(&operator) = operators.iter().find(|operator| self.take(**operator)) {
            left = Node::Binary(operator, Box::new(left), Box::new(operand(self)?));
        }
        Ok(left)
    }

    fn word(&mut self) -> &'a str {
        self.peek();
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn atom(&mut self) -> Result<Node, String> {
        if self.take('(') {
            let inner = self.sum('|')?;
            self.expect(')')?;
            return Ok(inner);
        }
        let name = self.word();
        let term = |term| Ok(Node::Term(term));
        match name {
            "S" => term(Term::S),
            "A" => term(Term::A),
            "P" => term(Term::P),
            "Pa" => term(Term::Pa),
            "T" => term(Term::T),
            "GOT" | "GOT_ORG" => term(Term::Got),
            "TLS" => term(Term::Tls),
            "tp" => term(Term::Tp),
            "B" => self.of_symbol().map(|()| Node::Term(Term::Base)),
            "PLT" => self.of_symbol().map(|()| Node::Term(Term::S)),
            "FUNCDESC" => self.of_symbol().map(|()| Node::Term(Term::Descriptor)),
            "Page" => Ok(Node::Page(Box::new(self.argument()?))),
            "TPREL" => Ok(Node::ThreadOffset(Box::new(self.argument()?))),
            "DTPREL" => Ok(Node::BlockOffset(Box::new(self.argument()?))),
            "G" => {
                self.expect('(')?;
                let entry = self.entry()?;
                self.expect(')')?;
                Ok(entry)
            }
            // What is there before it is signed, or called.
            "PAUTH" | "FUNCINIT" => self.argument(),
            "Delta" => Ok(Node::Loader),
            "SIGN" | "Indirect" | "TLSDESC" | "Module" | "ChangeIn" => self.argument().map(|_| Node::Loader),
            _ => Err(format!("`{name}` is not a term, before `{}`", self.rest)),
        }
    }

    fn argument(&mut self) -> Result<Node, String> {
        self.expect('(')?;
        let inner = self.sum('|')?;
        self.expect(')')?;
        Ok(inner)
    }

    fn of_symbol(&mut self) -> Result<(), String> {
        match self.argument()? {
            Node::Term(Term::S) => Ok(()),
            other => Err(format!("expected S, not {other:?}")),
        }
    }

    /// What stands in `G(...)`: its argument is S.
    fn entry(&mut self) -> Result<Node, String> {
        let kind = match self.word() {
            "ENCD" => {
                self.expect('(')?;
                let inner = self.entry()?;
                self.expect(')')?;
                return match inner {
                    Node::Entry(Entry::Address) => Ok(Node::Entry(Entry::Signed)),
                    Node::Entry(Entry::Descriptor) => Ok(Node::Entry(Entry::SignedDescriptor)),
                    _ => Err("not signable".into()),
                };
            }
            "GDAT" => Entry::Address,
            "GTPREL" => Entry::ThreadOffset,
            "GTLSIDX" => Entry::ModuleAndOffset,
            "GLDM" => Entry::Module,
            "GTLSDESC" => Entry::Descriptor,
            "FUNCDESC" => Entry::Function,
            name => return Err(format!("`{name}` is not a table entry")),
        };
        self.of_symbol().map(|()| Node::Entry(kind))
    }
}

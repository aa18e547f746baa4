//! The caller's wishes for a link besides its objects: the options that linkers share, by the names that GNU ld gives them.

use clap::{Args as ClapArgs, ValueEnum};
use linker::assign::Term;
use linker::layout::At;
use linker::{Layout, Options, Parsed};

use super::expression::{self, Expression};

/// What becomes of strong references that nobody defines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Unresolved {
    /// They are an error.
    #[default]
    ReportAll,
    /// They are as if they were weak: calls do nothing, pointers are null.
    IgnoreAll,
    /// The same as ignore-all, as all that is linked are objects
    IgnoreInObjectFiles,
    /// The same as report-all, as there are no shared libraries
    IgnoreInSharedLibs,
}

/// The options of every command that links.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Wishes {
    /// Define a symbol, whatever objects say: numbers and other symbols with + - * ( )
    #[arg(long = "defsym", value_name = "NAME=EXPR", value_parser = expression::assignment)]
    pub assignments: Vec<(String, Expression)>,
    /// Ask for a symbol, so that archives give it and it is kept
    #[arg(short = 'u', long = "undefined", value_name = "SYM")]
    pub wanted: Vec<String>,
    /// Take references to SYM to __wrap_SYM, and those to __real_SYM to SYM
    #[arg(long = "wrap", value_name = "SYM")]
    pub wrapped: Vec<String>,
    /// What becomes of references that nobody defines
    #[arg(long = "unresolved-symbols", value_name = "POLICY", value_enum, default_value = "report-all")]
    pub unresolved: Unresolved,
    /// Let the first of several definitions of a symbol count
    #[arg(long)]
    pub allow_multiple_definition: bool,
    /// max-page-size=N, muldefs, and what other linkers know (see `harness ld --help`)
    #[arg(short = 'z', value_name = "KEYWORD")]
    pub keywords: Vec<String>,
    /// Put the start of the image at an address: its headers, with the sections behind
    #[arg(long = "image-base", value_name = "ADDR", value_parser = super::number::address)]
    pub image_base: Option<u64>,
    /// Put an output section at an address
    #[arg(long = "section-start", value_name = "SECTION=ADDR", value_parser = super::section_start)]
    pub section_starts: Vec<(String, u64)>,
    /// Leave out what nothing that has to stay refers to
    #[arg(long, overrides_with = "no_gc_sections")]
    pub gc_sections: bool,
    /// Keep all that is loaded
    #[arg(long)]
    pub no_gc_sections: bool,
    /// References that are turned to another name: `--wrap` in pairs.
    #[arg(skip)]
    pub redirects: Vec<(String, String)>,
    /// Numbers of the inputs that are archives of which every member is linked.
    #[arg(skip)]
    pub whole_archives: Vec<usize>,
    /// Sections of our own: name, content, alignment.
    #[arg(skip)]
    pub sections: Vec<(String, Vec<u8>, u64)>,
}

/// What `-z` keywords mean here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keywords {
    /// Bytes of the largest page.
    pub page: Option<u64>,
    /// Whether the first definition counts.
    pub first_definition: bool,
    /// Whether what is constant after relocation stays writable.
    pub no_relro: bool,
    /// Whether the stack is executable.
    pub executable_stack: bool,
    /// Bytes that the stack is asked to have. 0: as the system likes.
    pub stack_size: u64,
}

/// The keywords of `-z` without an effect here: they are about loading and dynamic symbols, of which there are none, or say
/// what is always so.
const WITHOUT: &[&str] = &[
    "now",
    "lazy",
    "defs",
    "nodelete",
    "noseparate-code",
    "separate-code",
    "separate-loadable-segments",
    "text",
    "notext",
    "combreloc",
    "nocombreloc",
    "nognustack",
    "initfirst",
    "interpose",
    "nodlopen",
    "nodefaultlib",
    "origin",
    "start-stop-gc",
    "nostart-stop-gc",
    "start-stop-visibility",
    "force-bti",
    "pac-plt",
    "pack-relative-relocs",
    "nopack-relative-relocs",
    "unique-symbol",
    "nounique-symbol",
];

impl Wishes {
    /// Turns `--wrap` into pairs of redirections. To be called once.
    pub fn settle(&mut self) {
        for name in std::mem::take(&mut self.wrapped) {
            self.redirects.push((name.clone(), format!("__wrap_{name}")));
            self.redirects.push((format!("__real_{name}"), name));
        }
        if self.keywords.iter().any(|keyword| keyword == "undefs") {
            self.unresolved = Unresolved::IgnoreAll;
        }
    }

    /// What the keywords say.
    pub fn keywords(&self) -> Result<Keywords, String> {
        let mut known = Keywords::default();
        for keyword in &self.keywords {
            match keyword.split_once('=').unwrap_or((keyword, "")) {
                ("max-page-size", value) => known.page = Some(page(keyword, value)?),
                ("common-page-size", value) => drop(page(keyword, value)?),
                ("muldefs", _) => known.first_definition = true,
                ("norelro", _) => known.no_relro = true,
                ("relro", _) => known.no_relro = false,
                ("execstack", _) => known.executable_stack = true,
                ("noexecstack", _) => known.executable_stack = false,
                ("stack-size", value) => known.stack_size = number(keyword, value)?,
                // Said once more as a policy: see `settle`.
                ("undefs", _) => {}
                (name, _) if WITHOUT.contains(&name) => {}
                _ => return Err(format!("-z {keyword} is not known")),
            }
        }
        Ok(known)
    }

    /// Drops the keywords that are not known, and returns them.
    pub fn drop_unknown_keywords(&mut self) -> Vec<String> {
        let is_known = |keyword: &String| {
            let one = Wishes { keywords: vec![keyword.clone()], ..Wishes::default() };
            // One that is known with another value is an error later on.
            one.keywords().map_or_else(|problem| !problem.ends_with("is not known"), |_| true)
        };
        let (known, unknown) = std::mem::take(&mut self.keywords).into_iter().partition(is_known);
        self.keywords = known;
        unknown
    }

    /// What the linker core has to know.
    pub fn options(&self, options: Options) -> Result<Options, String> {
        let keywords = self.keywords()?;
        Ok(Options {
            allow_duplicates: self.allow_multiple_definition || keywords.first_definition,
            page: keywords.page.unwrap_or(options.page),
            base: self.image_base.or(options.base),
            ..options
        })
    }

    /// The layout, with output sections that were placed.
    pub fn layout(&self, layout: &Layout) -> Result<Layout, String> {
        if self.image_base.is_some() && (*layout != Layout::Near || !self.section_starts.is_empty()) {
            return Err(format!(
                "--image-base and {} are two layouts, expected one",
                match layout {
                    Layout::Near => "--section-start".to_owned(),
                    layout => format!("--layout {layout}"),
                }
            ));
        }
        match (layout, self.section_starts.as_slice()) {
            (layout, []) => Ok(layout.clone()),
            (Layout::Near, starts) => {
                let at = |(section, address): &(String, u64)| At {
                    file: "*".to_owned(),
                    section: section.clone(),
                    address: *address,
                };
                Ok(Layout::At(starts.iter().map(at).collect()))
            }
            (layout, _) => Err(format!("--section-start and --layout {layout} are two layouts, expected one")),
        }
    }

    /// Whether undefined references are no error.
    pub fn ignores_unresolved(&self) -> bool {
        matches!(self.unresolved, Unresolved::IgnoreAll | Unresolved::IgnoreInObjectFiles)
    }

    /// Says to a link what has to be known before its objects are read.
    pub(super) fn announce<'data>(&'data self, parsed: &mut Parsed<'data>) -> linker::Result<()> {
        for (from, to) in &self.redirects {
            parsed.redirect(from, to);
        }
        for (name, bytes, alignment) in &self.sections {
            parsed.add_bytes(name, bytes.clone(), *alignment);
        }
        self.wanted.iter().try_for_each(|name| parsed.want(name))?;
        for (name, expression) in &self.assignments {
            let terms: Vec<Term<&str>> = expression.iter().map(borrowed).collect();
            parsed.assign(name, &terms)?;
        }
        Ok(())
    }
}

fn borrowed(term: &Term<String>) -> Term<&str> {
    match term {
        Term::Symbol(name) => Term::Symbol(name),
        Term::Number(number) => Term::Number(*number),
        Term::Add => Term::Add,
        Term::Subtract => Term::Subtract,
        Term::Multiply => Term::Multiply,
        Term::Negate => Term::Negate,
    }
}

/// The size of a page.
fn page(keyword: &str, value: &str) -> Result<u64, String> {
    let size = number(keyword, value).ok();
    size.filter(|size| size.is_power_of_two() && *size <= 1 << 30)
        .ok_or_else(|| format!("-z {keyword}: expected a power of two of at most 1 GiB"))
}

/// The number that a keyword gives.
fn number(keyword: &str, value: &str) -> Result<u64, String> {
    let terms = expression::parse(value)?;
    let number = linker::assign::evaluate(&terms.iter().map(borrowed).collect::<Vec<_>>(), |_| None);
    number.ok_or_else(|| format!("-z {keyword}: expected a number"))
}

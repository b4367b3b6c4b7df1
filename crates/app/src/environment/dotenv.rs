//! The `.env` format: what `source .env` takes, plus the liberties that dotenv readers take.
//!
//! As in a shell: `export`, comments, single quotes (literal), double quotes (`\"`, `\\`, `\$`, `` \` ``), quoted parts put
//! together, values over several lines within quotes. As in dotenv readers: blanks around `=`, `\n`, `\r` and `\t` within
//! double quotes, blanks inside an unquoted value, `${NAME}` and `${NAME:-default}`, a lone `$` standing for itself.
//! Refused, because the value would not be what the author meant: commands (`$(…)`), a variable without a value.

use domain::Say;
use security::Plain;
use std::collections::BTreeMap;

/// One line of the file.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: Plain<String>,
    pub(super) line: u32,
}

/// What is wrong, and where. The line itself is never shown: it may hold a secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: u32,
    pub(super) problem: Say,
}

/// Returns the variables in `text`. `lookup` finds a variable that is set outside and therefore wins.
pub(super) fn parse(
    text: &str,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Entry>, Broken> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut scanner = Scanner {
        rest: text,
        line: 1,
    };
    let mut entries: Vec<Entry> = Vec::new();
    let mut set: BTreeMap<String, usize> = BTreeMap::new();
    while scanner.skip_to_entry() {
        let line = scanner.line;
        let name = scanner.name()?;
        let value = scanner.value(|wanted| {
            lookup(wanted).or_else(|| {
                let entry = entries.get(*set.get(wanted)?)?;
                Some(entry.value.expose().clone())
            })
        })?;
        set.insert(name.clone(), entries.len());
        entries.push(Entry {
            name,
            value: Plain::new(value),
            line,
        });
    }
    Ok(entries)
}

struct Scanner<'a> {
    rest: &'a str,
    line: u32,
}

impl Scanner<'_> {
    fn broken<T>(&self, problem: &'static str) -> Result<T, Broken> {
        Err(Broken {
            line: self.line,
            problem: Say::new(problem),
        })
    }

    fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = self.rest.get(character.len_utf8()..).unwrap_or_default();
        if character == '\n' {
            self.line += 1;
        }
        Some(character)
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.next();
        }
    }

    /// Skips blank lines and comments; returns whether an entry follows.
    fn skip_to_entry(&mut self) -> bool {
        loop {
            self.skip_while(char::is_whitespace);
            match self.peek() {
                None => return false,
                Some('#') => self.skip_while(|c| c != '\n'),
                Some(_) => return true,
            }
        }
    }

    /// Reads `[export ]NAME =`.
    fn name(&mut self) -> Result<String, Broken> {
        let is_blank = |c| c == ' ' || c == '\t';
        if let Some(rest) = self
            .rest
            .strip_prefix("export")
            .filter(|rest| rest.starts_with(is_blank))
        {
            self.rest = rest.trim_start_matches(is_blank);
        }
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if !rest.trim_start_matches(is_blank).starts_with('=') {
            let line = rest.split('\n').next().unwrap_or_default();
            return self.broken(if line.contains('=') {
                "a variable's name has letters, digits and _ only"
            } else {
                "there is no `=`"
            });
        }
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return self.broken("a variable's name starts with a letter or _");
        }
        let name = name.to_owned();
        self.rest = rest;
        self.skip_while(is_blank);
        self.next();
        self.skip_while(is_blank);
        Ok(name)
    }

    /// Reads a value up to the end of its line, and the end.
    fn value(&mut self, lookup: impl Fn(&str) -> Option<String>) -> Result<String, Broken> {
        let mut value = String::new();
        // Blanks count only when something follows them.
        let mut blanks = String::new();
        let mut after_blank = true;
        loop {
            let Some(character) = self.peek() else {
                return Ok(value);
            };
            match character {
                '\n' => {
                    self.next();
                    return Ok(value);
                }
                '\0' => return self.broken("there is a NUL character"),
                '#' if after_blank => {
                    self.skip_while(|c| c != '\n');
                    continue;
                }
                ' ' | '\t' | '\r' => {
                    self.next();
                    blanks.push(character);
                    after_blank = true;
                    continue;
                }
                _ => {}
            }
            value.push_str(&std::mem::take(&mut blanks));
            after_blank = false;
            match character {
                '\'' => self.single_quoted(&mut value)?,
                '"' => self.double_quoted(&mut value, &lookup)?,
                '$' => self.dollar(&mut value, &lookup)?,
                '\\' => {
                    self.next();
                    match self.next() {
                        Some('\n') | None => {}
                        Some(escaped) => value.push(escaped),
                    }
                }
                _ => value.extend(self.next()),
            }
        }
    }

    fn single_quoted(&mut self, value: &mut String) -> Result<(), Broken> {
        let started = self.line;
        self.next();
        loop {
            match self.next() {
                Some('\'') => return Ok(()),
                Some('\0') => return self.broken("there is a NUL character"),
                Some(character) => value.push(character),
                None => return unclosed(started),
            }
        }
    }

    fn double_quoted(
        &mut self,
        value: &mut String,
        lookup: &impl Fn(&str) -> Option<String>,
    ) -> Result<(), Broken> {
        let started = self.line;
        self.next();
        loop {
            match self.peek() {
                None => return unclosed(started),
                Some('\0') => return self.broken("there is a NUL character"),
                Some('$') => self.dollar(value, lookup)?,
                Some('"') => {
                    self.next();
                    return Ok(());
                }
                Some('\\') => {
                    self.next();
                    match self.next() {
                        None => return unclosed(started),
                        Some('n') => value.push('\n'),
                        Some('r') => value.push('\r'),
                        Some('t') => value.push('\t'),
                        Some('\n') => {}
                        Some(escaped @ ('"' | '\\' | '$' | '`')) => value.push(escaped),
                        Some(other) => value.extend(['\\', other]),
                    }
                }
                Some(_) => value.extend(self.next()),
            }
        }
    }

    /// Reads `${NAME}`, `${NAME:-default}`, or a `$` that stands for itself.
    fn dollar(
        &mut self,
        value: &mut String,
        lookup: &impl Fn(&str) -> Option<String>,
    ) -> Result<(), Broken> {
        self.next();
        match self.peek() {
            Some('(') => {
                return self.broken(
                    "commands in `$(…)` are not run; write the value, or quote it with ''",
                );
            }
            Some('{') => {}
            _ => {
                value.push('$');
                return Ok(());
            }
        }
        self.next();
        let Some(end) = self
            .rest
            .find(['}', '\n'])
            .filter(|end| self.rest.get(*end..=*end) == Some("}"))
        else {
            return self.broken("a `${` has no `}`");
        };
        let inner = self.rest.get(..end).unwrap_or_default();
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        let found = lookup(name).filter(|found| default.is_none() || !found.is_empty());
        match found.or_else(|| default.map(str::to_owned)) {
            Some(found) => value.push_str(&found),
            None => {
                return self.broken("a `${…}` names a variable that is not set above or outside");
            }
        }
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Ok(())
    }
}

fn unclosed<T>(line: u32) -> Result<T, Broken> {
    Err(Broken {
        line,
        problem: Say::new("a quote is opened and not closed"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(text: &str) -> Result<Vec<(String, String)>, (u32, String)> {
        let outside = |name: &str| (name == "HOME").then(|| "/home/ada".to_owned());
        parse(text, outside)
            .map(|entries| {
                let pair = |entry: Entry| (entry.name, entry.value.expose().clone());
                entries.into_iter().map(pair).collect()
            })
            .map_err(|broken| (broken.line, broken.problem.to_string()))
    }

    #[test]
    fn values_are_read_as_a_shell_reads_them() {
        let check = |text: &str, expect: &[(&str, &str)]| {
            let expect = expect
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect();
            assert_eq!(values(text), Ok(expect), "{text}");
        };
        check("", &[]);
        check("# only\n\n   \n#A=1", &[]);
        check("A=1", &[("A", "1")]);
        check("\u{feff}A=1\r\nB=2\r\n", &[("A", "1"), ("B", "2")]);
        check("export A=1\nexport\tB=2", &[("A", "1"), ("B", "2")]);
        check("export=1", &[("export", "1")]);
        check("A =  1 ", &[("A", "1")]);
        check("A=", &[("A", "")]);
        check("A=\nB=2", &[("A", ""), ("B", "2")]);
        check("A=''", &[("A", "")]);
        check("A=1 # note", &[("A", "1")]);
        check("A=1#2", &[("A", "1#2")]);
        check("A= # note", &[("A", "")]);
        check("A='1 # 2'", &[("A", "1 # 2")]);
        check("A=\"1 # 2\" # note", &[("A", "1 # 2")]);
        check("A=one two  ", &[("A", "one two")]);
        check("A='it'\\''s'", &[("A", "it's")]);
        check("A='a\"b\\n'", &[("A", "a\"b\\n")]);
        check(r#"A="a\"b\\c\$d\`e""#, &[("A", "a\"b\\c$d`e")]);
        check(r#"A="a\nb\tc""#, &[("A", "a\nb\tc")]);
        check(r#"A="\x""#, &[("A", "\\x")]);
        check("A=a\\ b", &[("A", "a b")]);
        check("A='one\ntwo'\nB=2", &[("A", "one\ntwo"), ("B", "2")]);
        check("A=\"one\ntwo\"", &[("A", "one\ntwo")]);
        check("A=\"one\\\ntwo\"", &[("A", "onetwo")]);
        check("A=$HOME/x", &[("A", "$HOME/x")]);
        check("A=pa$$word", &[("A", "pa$$word")]);
        check("A=${HOME}/x", &[("A", "/home/ada/x")]);
        check("A=\"${HOME}/x\"", &[("A", "/home/ada/x")]);
        check("A='${HOME}'", &[("A", "${HOME}")]);
        check("A=\\${HOME}", &[("A", "${HOME}")]);
        check("A=1\nB=${A}2", &[("A", "1"), ("B", "12")]);
        check("A=${B:-x}", &[("A", "x")]);
        check("B=\nA=${B:-x}", &[("B", ""), ("A", "x")]);
        check("A=a=b", &[("A", "a=b")]);
        check("A=1\nA=2", &[("A", "1"), ("A", "2")]);
        check("_A1=ü", &[("_A1", "ü")]);
    }

    #[test]
    fn a_broken_line_is_refused_with_its_number() {
        let check = |text: &str, line: u32, problem: &str| {
            let (at, said) = values(text).expect_err(text);
            assert!(
                at == line && said.contains(problem),
                "{text}: line {at}: {said}"
            );
        };
        check("A=1\nB", 2, "no `=`");
        check("\n\nexport A", 3, "no `=`");
        check("1A=2", 1, "starts with");
        check("=2", 1, "starts with");
        check("A-B=2", 1, "letters, digits");
        check("A='x\ny", 1, "not closed");
        check("A=1\nB=\"x\n", 2, "not closed");
        check("A=$(pass show x)", 1, "commands");
        check("A=\"$(pass)\"", 1, "commands");
        check("A=${B}", 1, "not set");
        check("A=${B\n}", 1, "no `}`");
        check("A=\0", 1, "NUL");
    }

    proptest! {
        #![proptest_config(crate::seeded::cases())]

        #[test]
        fn a_value_in_single_quotes_comes_back(value in "[^'\\x00]*") {
            prop_assume!(!value.contains('\0'));
            prop_assert_eq!(values(&format!("A='{value}'")), Ok(vec![("A".to_owned(), value)]));
        }

        #[test]
        fn no_text_makes_the_parser_fail_otherwise(text in any::<String>()) {
            let _ = values(&text);
        }
    }
}

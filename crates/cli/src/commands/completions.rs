//! `dango completions SHELL`.

use crate::context::Context;
use crate::errors::Stop;
use clap::Args;
use clap_complete::{Shell, generate};

const WHERE: &str = "\
Where the script goes:
  bash  dango completions bash > ~/.local/share/bash-completion/completions/dango
  zsh   dango completions zsh > \"${fpath[1]}/_dango\"
  fish  dango completions fish > ~/.config/fish/completions/dango.fish";

/// Arguments of `dango completions`.
#[derive(Debug, Args)]
#[command(after_help = WHERE)]
pub(crate) struct Arguments {
    /// The shell that will read the script
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let mut script = Vec::new();
    generate(
        arguments.shell,
        &mut crate::arguments::command(),
        "dango",
        &mut script,
    );
    context.output.print(&String::from_utf8_lossy(&script))
}

//! What every command gets: its global flags, its output, and ways to open the project.

use crate::arguments::Global;
use crate::errors::Stop;
use crate::interrupts::Interrupts;
use crate::output::{Output, units};
use crate::prompts::{self, Ask};
use app::error::Error;
use app::lock::ProjectLock;
use app::project::Project;
use app::{App, Environment, Holder, OpenOptions, REDACTOR, SystemClock};
use security::{Allow, Permission};
use std::path::Path;
use std::sync::Arc;

/// The surroundings of one command.
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) output: Output,
    pub(crate) interrupts: Interrupts,
}

/// A project's files, and the variables that hold for them.
pub(crate) struct Place {
    pub(crate) project: Project,
    pub(crate) environment: Environment,
}

impl Place {
    /// Checks that whoever runs the command has the permission `P`.
    pub(crate) fn allow<P: Permission>(&self) -> Result<Allow<P>, Stop> {
        Ok(app::operator::<P>(&self.environment)?)
    }
}

impl Context {
    /// Returns how the project is to be opened for `command`.
    pub(crate) fn options(&self, command: &str) -> Result<OpenOptions, Stop> {
        Ok(OpenOptions {
            project: self.global.project.clone(),
            environment: Environment::from_process(),
            command: command.to_owned(),
            wait_seconds: self.global.wait,
            launcher: app::launcher()?,
            clock: Arc::new(SystemClock),
        })
    }

    /// Opens the project with its lock, telling whom it waits for.
    pub(crate) async fn open(&self, command: &str) -> Result<App, Stop> {
        self.open_with(self.options(command)?).await
    }

    /// Opens a project at a given place.
    pub(crate) async fn open_with(&self, options: OpenOptions) -> Result<App, Stop> {
        let output = self.output;
        let seconds = options.wait_seconds;
        let mut on_wait = move |holder: &Holder| output.tell(&waiting(holder, seconds));
        let opened = async { Ok(App::open(options, &mut on_wait).await?) };
        self.interrupts.or_drop(Box::pin(opened)).await
    }

    /// Says for whom a command that is started will wait, which has no terminal to say it at.
    pub(crate) fn tell_holder(&self, project: &Project) -> Result<(), Stop> {
        let holder = ProjectLock::find_holder(project).map_err(Error::from)?;
        if let Some(holder) = holder.filter(|_| self.global.wait > 0) {
            self.output.tell(&waiting(&holder, self.global.wait));
        }
        Ok(())
    }

    /// Opens the project for reading its configuration: no lock, no warehouse.
    pub(crate) async fn open_read(&self, command: &str) -> Result<App, Stop> {
        Ok(Box::pin(App::open_read(self.options(command)?)).await?)
    }

    /// Finds the project for a command that needs its files alone: no lock, no store, no warehouse.
    pub(crate) fn place(&self) -> Result<Place, Stop> {
        let mut environment = Environment::from_process();
        let project = Project::find(Path::new("."), self.global.project.as_deref(), &environment)?;
        // A log that cannot be written is `dango doctor`'s business, not this command's.
        let _ = app::logging::attach(&project);
        environment.load_file(&project.env_file())?;
        environment.teach(&REDACTOR);
        Ok(Place {
            project,
            environment,
        })
    }

    /// Returns a way to ask at the terminal; without one the error names the `flag` that gives the answer.
    pub(crate) fn ask(&self, what: &'static str, flag: &str) -> Result<Box<dyn Ask>, Stop> {
        prompts::at_terminal(self.global.no_input, what, flag, self.output.talk_palette())
    }

    /// Asks a yes-or-no question whose flag is `--yes`.
    pub(crate) fn confirm(&self, question: &str) -> Result<bool, Stop> {
        if self.global.yes {
            return Ok(true);
        }
        self.ask("a confirmation", "--yes")?
            .confirm(question, false)
    }
}

/// Returns what is told to whoever waits for another command.
fn waiting(holder: &Holder, seconds: u64) -> String {
    format!(
        "waiting for {} to end, {} at most (`--wait`); Ctrl-C gives up",
        holder.say(),
        units::counted(seconds, "second")
    )
}

//! What can be typed: the commands and their flags.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use super::edits::{AddArgs, ChangeArgs, ExportArgs, ImportArgs};
use super::examples;
use super::login_args::{LoginArgs, LogoutArgs};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "mcpmux",
    version,
    about = "One MCP server in front of many",
    long_about = "One MCP server in front of many: mcpmux connects to every server of a configuration \
                  file\nand offers their tools, resources and prompts as if they came from one.",
    after_help = "See `mcpmux help COMMAND` for examples of a command.",
    after_long_help = examples::MCPMUX,
    arg_required_else_help = true,
    subcommand_required = true
)]
pub(super) struct Cli {
    /// Options that may stand before the command too.
    #[command(flatten)]
    pub(super) common: Common,
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The options of every command.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Common {
    /// Read this configuration file; may be repeated, later files win
    ///
    /// Without it the first of these is read:
    /// `$MCPMUX_CONFIG`, `./mcp-config.json`, `$XDG_CONFIG_HOME/mcpmux/config.json`.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, verbatim_doc_comment)]
    pub(super) config: Vec<PathBuf>,
    /// Log this much to stderr: off, error, warn, info, debug or trace
    ///
    /// Takes the directives of `RUST_LOG` too, such as `mcpmux=debug,hyper=info`.
    /// Beats `MCPMUX_LOG`, which beats `RUST_LOG`, which beats `mux.logLevel` of the file.
    #[arg(long, value_name = "LEVEL", verbatim_doc_comment)]
    pub(super) log_level: Option<String>,
}

impl Common {
    /// The options that stood before the command, followed by those that stood after it.
    pub(super) fn followed_by(&self, after: &Self) -> Self {
        Self {
            config: self.config.iter().chain(&after.config).cloned().collect(),
            log_level: after
                .log_level
                .as_ref()
                .or(self.log_level.as_ref())
                .cloned(),
        }
    }
}

/// The form in which a command prints data.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Output {
    /// Print JSON, for scripts
    #[arg(long)]
    json: bool,
}

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Text,
    /// For scripts.
    Json,
}

impl Output {
    /// The form that was asked for.
    pub(super) fn form(self) -> Form {
        if self.json { Form::Json } else { Form::Text }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the mux
    ///
    /// Without `--stdio` and `--http`, `mux.listen` in the configuration decides;
    /// where that is absent too, the mux serves stdio.
    #[command(verbatim_doc_comment, after_long_help = examples::SERVE)]
    Serve(ServeArgs),
    /// Check the configuration and try every server
    ///
    /// Prints the servers with their transports, protocol revisions, states and counts,
    /// and below them what is wrong: errors, conflicts, rules that match nothing.
    #[command(verbatim_doc_comment, after_long_help = examples::CHECK)]
    Check(CheckArgs),
    /// Print the merged catalog
    ///
    /// Every entry has the name that clients see.
    /// Servers that are not available are named on stderr.
    #[command(verbatim_doc_comment, after_long_help = examples::LIST)]
    List(ListArgs),
    /// Call a tool
    ///
    /// The arguments are one JSON object, or `key=value` pairs. A value is read as the
    /// tool's input schema says; where that is silent, as JSON, else as a string.
    ///
    /// Text is printed as it is. Structured content is printed where there is no text.
    /// `--json` prints the whole result.
    #[command(verbatim_doc_comment, after_long_help = examples::CALL)]
    Call(CallArgs),
    /// Read a resource
    ///
    /// Text is printed as it is. `--json` prints the whole result.
    #[command(verbatim_doc_comment, after_long_help = examples::READ)]
    Read(ReadArgs),
    /// Get a prompt
    ///
    /// The arguments of a prompt are strings. Each message is printed below its role.
    /// `--json` prints the whole result.
    #[command(verbatim_doc_comment, after_long_help = examples::PROMPT)]
    Prompt(PromptArgs),
    /// Add a server to the configuration
    ///
    /// The server is a command, behind `--`, or a URL. It goes into the last `--config`, else into the file
    /// that is read without one; where there is none, `$XDG_CONFIG_HOME/mcpmux/config.json` is made.
    /// Nothing else in the file changes.
    #[command(verbatim_doc_comment, after_long_help = examples::ADD)]
    Add(AddArgs),
    /// Remove a server from the configuration
    ///
    /// It is taken out of the file that has it; of several files, out of the last one.
    /// Nothing else in the file changes.
    #[command(verbatim_doc_comment, after_long_help = examples::REMOVE)]
    Remove(ChangeArgs),
    /// Switch a server on again
    #[command(after_long_help = examples::ENABLE)]
    Enable(ChangeArgs),
    /// Switch a server off and keep its entry
    #[command(after_long_help = examples::DISABLE)]
    Disable(ChangeArgs),
    /// Take over the servers of other programs
    ///
    /// Finds the files of the programs that `export` knows, shows which of their servers are new, and
    /// asks. Filters, timeouts and switches mean the same afterwards. Their files are only read.
    #[command(verbatim_doc_comment, after_long_help = examples::IMPORT)]
    Import(ImportArgs),
    /// Register mcpmux in another program
    ///
    /// The difference is shown first, and nothing is written without consent. Comments and order of
    /// the program's file stay, and a copy of the old file is left beside it.
    #[command(verbatim_doc_comment, after_long_help = examples::EXPORT)]
    Export(ExportArgs),
    /// Make a running mux follow its files
    ///
    /// The mux is the one that listens where the configuration says, or at `--url`.
    /// Prints what is different. Files that cannot be followed change nothing.
    ///
    /// A running mux follows its files by itself, unless `mux.watchFiles` is off, and at SIGHUP.
    #[command(verbatim_doc_comment, after_long_help = examples::RELOAD)]
    Reload(ReloadArgs),
    /// Log in at a server that wants OAuth
    ///
    /// Opens a browser, and stores the token in the keychain of the system or in a private file.
    /// A mux that runs already uses it at once.
    #[command(verbatim_doc_comment, after_long_help = examples::LOGIN)]
    Login(LoginArgs),
    /// Forget the login at a server
    ///
    /// Revokes its token, if the authorization server can do that.
    #[command(verbatim_doc_comment, after_long_help = examples::LOGOUT)]
    Logout(LogoutArgs),
    /// Print the JSON Schema of the configuration
    ///
    /// Editors complete and check the configuration with it.
    #[command(verbatim_doc_comment, after_long_help = examples::SCHEMA)]
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    #[command(after_long_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
}

impl Command {
    /// The options that stood after the command.
    pub(super) fn common(&self) -> &Common {
        match self {
            Self::Serve(args) => &args.common,
            Self::Check(args) => &args.common,
            Self::List(args) => &args.common,
            Self::Call(args) => &args.common,
            Self::Read(args) => &args.common,
            Self::Prompt(args) => &args.common,
            Self::Add(args) => &args.common,
            Self::Remove(args) | Self::Enable(args) | Self::Disable(args) => &args.common,
            Self::Export(args) => &args.common,
            Self::Import(args) => &args.common,
            Self::Reload(args) => &args.common,
            Self::Login(args) => &args.common,
            Self::Logout(args) => &args.common,
            Self::Schema(args) => &args.common,
            Self::Completions(args) => &args.common,
        }
    }
}

/// Arguments of `serve`.
#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    /// Serve one client on stdin and stdout
    #[arg(long)]
    pub(super) stdio: bool,
    /// Serve streamable HTTP at ADDR [default: `mux.listen`, else 127.0.0.1:8808]
    ///
    /// The endpoint is `http://ADDR/mcp`. ADDR may be `unix:/PATH`, a Unix socket.
    /// Together with `--stdio`, the end of stdin ends only the stdio link.
    // An empty text: the flag without an address.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "", verbatim_doc_comment)]
    pub(super) http: Option<String>,
    /// The common options.
    #[command(flatten)]
    pub(super) common: Common,
}

/// Arguments of `check`.
#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// Check the files only, connect to nothing
    #[arg(long)]
    pub(super) offline: bool,
    /// Fail if any server is unavailable, required or not
    #[arg(long)]
    pub(super) strict: bool,
    /// Print every setting and every key of a server, and where its value comes from
    #[arg(long)]
    pub(super) explain: bool,
    /// The form of the output.
    #[command(flatten)]
    pub(super) output: Output,
    /// The common options.
    #[command(flatten)]
    pub(super) common: Common,
}

/// What `list` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Listed {
    /// The servers and their states
    Servers,
    /// The tools
    Tools,
    /// The resources
    Resources,
    /// The resource templates
    Templates,
    /// The prompts
    Prompts,
}

/// Arguments of `list`.
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Which list to print [default: the whole catalog]
    #[arg(value_name = "WHAT")]
    pub(super) what: Option<Listed>,
    /// The form of the output.
    #[command(flatten)]
    pub(super) output: Output,
    /// The common options.
    #[command(flatten)]
    pub(super) common: Common,
}

/// Arguments of `call`.
#[derive(Args, Debug)]
pub(super) struct CallArgs {
    /// Name of the tool, as clients see it
    pub(super) name: String,
    /// The tool's arguments: one JSON object, or key=value pairs
    #[arg(value_name = "JSON | KEY=VALUE")]
    pub(super) arguments: Vec<String>,
    /// The form of the output.
    #[command(flatten)]
    pub(super) output: Output,
    /// The common options.
    #[command(flatten)]
    pub(super) common: Common,
}

/// Arguments of `read`.
#[derive(Args, Debug)]
pub(super) struct ReadArgs {
    /// URI of the resource, as clients see it
    pub(super) uri: String,
    /// The form of the output.
    #[command(flatten)]
    pub(super) output: Output,
    /// The common options.
    #[command(flatten)]
    pub(super) common: Common,
}

/// Arguments of `prompt`.
#[derive(Args, Debug)]
pub(super) struct PromptArgs {
    /// Name of the prompt, as clients see it
    pub(super) name: String,
    /// The prompt's arguments
    #[arg(value_name = "KEY=VALUE")]
    pub(super) arguments: Vec<String>,
    /// The form of the output.
    #[command(flatten)]
    pub(super) output: Output,
    /// The common options.
    #[command(flatten)]
    pub(super) common: Common,
}

/// Arguments of `reload`.
#[derive(Args, Debug)]
pub(super) struct ReloadArgs {
    /// Where the mux is: `http://127.0.0.1:PORT` or `unix:/PATH` [default: `mux.listen`]
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// Only print what would be done
    #[arg(long)]
    pub(super) dry_run: bool,
    /// The form of the output.
    #[command(flatten)]
    pub(super) output: Output,
    /// The common options.
    #[command(flatten)]
    pub(super) common: Common,
}

/// Arguments of `schema`.
#[derive(Args, Debug)]
pub(super) struct SchemaArgs {
    /// The common options.
    #[command(flatten)]
    pub(super) common: Common,
}

/// Arguments of `completions`.
#[derive(Args, Debug)]
pub(super) struct CompletionsArgs {
    /// The shell to complete in
    pub(super) shell: Shell,
    /// The common options.
    #[command(flatten)]
    pub(super) common: Common,
}

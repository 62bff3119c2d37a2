//! The real program as a provider for applications: served at a fixed port, with one user.

use crate::free_port;
use crate::program::{Serving, Workplace};

/// A running provider. It ends with this value.
pub struct Provider {
    pub workplace: Workplace,
    serving: Serving,
}

impl Provider {
    /// Starts the program with these variables and adds the user. Applications on this machine may be called back.
    pub fn start(variables: &[(&str, &str)], (username, password): (&str, &str), more: &[&str]) -> Self {
        let mut workplace = Workplace::fresh();
        workplace.set("TOKENHOUSE_LISTEN", &format!("127.0.0.1:{}", free_port()));
        workplace.set("TOKENHOUSE__OUTBOUND__ALLOW", "127.0.0.0/8");
        for (name, value) in variables {
            workplace.set(name, value);
        }
        let serving = workplace.serve(&[]);
        let user = [&["user", "add", username, "--password-stdin"], more].concat();
        workplace.run_with_input(&user, password).good();
        Self { workplace, serving }
    }

    /// Adds a client with a secret.
    pub fn add_client(&self, arguments: &[&str], secret: &str) {
        let arguments = [&["client", "add"], arguments, &["--secret-stdin"]].concat();
        self.workplace.run_with_input(&arguments, secret).good();
    }

    pub fn issuer(&self) -> String {
        self.serving.url("")
    }

    /// The log so far.
    pub fn logged(&self) -> String {
        self.serving.logged()
    }
}

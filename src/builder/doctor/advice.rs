//! What to do, per system.
//!
//! Owns: the words for Linux, macOS and Windows. Never does: know which of them is needed.

/// A person's system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux, with the engine of the distribution or of Docker's packages.
    Linux,
    /// macOS, with Docker Desktop or its like.
    Macos,
    /// Windows, with Docker Desktop.
    Windows,
}

impl System {
    /// The one that this program runs on.
    pub fn here() -> Self {
        match std::env::consts::OS {
            "macos" => Self::Macos,
            "windows" => Self::Windows,
            _ => Self::Linux,
        }
    }

    /// As it is written in options and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Macos => "macos",
            Self::Windows => "windows",
        }
    }
}

/// What to do on each system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Todo {
    linux: String,
    macos: String,
    windows: String,
}

impl Todo {
    /// The same everywhere.
    pub(super) fn anywhere(what: impl Into<String>) -> Self {
        let what = what.into();
        Self { linux: what.clone(), macos: what.clone(), windows: what }
    }

    pub(super) fn each(linux: &str, macos: &str, windows: &str) -> Self {
        Self { linux: linux.to_owned(), macos: macos.to_owned(), windows: windows.to_owned() }
    }

    /// What to do there.
    pub fn on(&self, system: System) -> &str {
        match system {
            System::Linux => &self.linux,
            System::Macos => &self.macos,
            System::Windows => &self.windows,
        }
    }
}

pub(super) fn install() -> Todo {
    Todo::each(
        "install Docker Engine 23 or newer by Docker's package repository (the distribution's package may be older or lack buildx); or podman or buildah, and name it with --engine",
        "install Docker Desktop (or colima with the docker command), then open a new terminal",
        "install Docker Desktop with the WSL 2 backend, then open a new terminal",
    )
}

pub(super) fn start() -> Todo {
    Todo::each(
        "sudo systemctl start docker (and `enable docker`, for after a restart); without systemd: sudo service docker start; without root: systemctl --user start docker",
        "start Docker Desktop (open -a Docker) and wait until it says that the engine runs; colima: colima start",
        "start Docker Desktop; in WSL, see that Settings > Resources > WSL integration names this distribution",
    )
}

pub(super) fn allow() -> Todo {
    Todo::each(
        "sudo usermod -aG docker \"$USER\", then log in anew (that group is as good as root), or set up Docker without root; check with `ls -l /var/run/docker.sock` and `echo $DOCKER_HOST`",
        "start Docker Desktop as this user; Settings > Advanced > allow the default Docker socket; check `docker context ls`",
        "net localgroup docker-users \"%USERNAME%\" /add as administrator, then log in anew",
    )
}

pub(super) fn upgrade() -> Todo {
    Todo::each(
        "upgrade Docker Engine to 23 or newer, with the docker-buildx-plugin package",
        "update Docker Desktop",
        "update Docker Desktop",
    )
}

pub(super) fn enable() -> Todo {
    Todo::each(
        "export DOCKER_BUILDKIT=1 before builds (for good: in ~/.profile), or in /etc/docker/daemon.json {\"features\": {\"buildkit\": true}} and sudo systemctl restart docker; better: upgrade to 23 or newer",
        "export DOCKER_BUILDKIT=1 (for good: in ~/.zprofile), or Settings > Docker Engine: {\"features\": {\"buildkit\": true}}; better: update Docker Desktop",
        "$env:DOCKER_BUILDKIT = '1' (for good: setx DOCKER_BUILDKIT 1), or Settings > Docker Engine: {\"features\": {\"buildkit\": true}}; better: update Docker Desktop",
    )
}

pub(super) fn add_buildx() -> Todo {
    Todo::each(
        "install the buildx plugin: docker-buildx-plugin from Docker's packages, docker-buildx on Debian and Ubuntu",
        "update Docker Desktop, or brew install docker-buildx and link it into ~/.docker/cli-plugins",
        "update Docker Desktop",
    )
}

pub(super) fn unset(name: &str) -> Todo {
    Todo::each(
        &format!(
            "unset {name}, and take it out of where it is set (~/.profile, ~/.bashrc, /etc/environment, the CI's variables)"
        ),
        &format!("unset {name}, and take it out of where it is set (~/.zprofile, ~/.zshrc, the CI's variables)"),
        &format!("Remove-Item Env:{name}; for good: reg delete HKCU\\Environment /v {name}"),
    )
}

pub(super) fn restart_after(what: &str) -> Todo {
    Todo::each(
        &format!("{what}, then sudo systemctl restart docker (running containers stop)"),
        &format!("{what} (Settings > Docker Engine), then Apply & restart"),
        &format!("{what} (Settings > Docker Engine), then Apply & restart"),
    )
}

pub(super) fn add_compose() -> Todo {
    Todo::each(
        "install the docker-compose-plugin package and call `docker compose`",
        "update Docker Desktop and call `docker compose`",
        "update Docker Desktop and call `docker compose`",
    )
}

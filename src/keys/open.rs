//! Opens the keyring at the start of the server. An error stops the start with a message that names the file and the
//! fix.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use super::master_key::MasterKeys;
use super::open_error::OpenError;
use super::prepared::PrivateKey;
use super::records::Records;
use super::ring::{OpenedKeys, Ring};
use super::schedule::{Draft, Entry, Rules};
use super::{Keyring, files, import};
use crate::audit::Actor;
use crate::clock::{Clock, Random};
use crate::config;
use crate::model::{KeyState, SigningAlgorithm, SigningKeyRecord};
use crate::store::Database;
use crate::store::sql::Dialect;
use crate::store::sql::keys::{KeyChange, KeyringChange};

impl Keyring {
    /// Finds or generates the master key, opens every key of the database, imports the PEM files of the folder,
    /// generates missing keys, and publishes.
    ///
    /// `longest_lifetime` is that of a signed token. A retired key stays published at least as long.
    pub async fn open(
        settings: &config::Keys,
        longest_lifetime: Duration,
        database: Database,
        clock: Clock,
        random: Random,
    ) -> Result<Self, OpenError> {
        open(settings, longest_lifetime, database, clock, random).await
    }
}

async fn open(
    settings: &config::Keys,
    longest_lifetime: Duration,
    database: Database,
    clock: Clock,
    random: Random,
) -> Result<Keyring, OpenError> {
    let rules = Rules::new(settings, longest_lifetime);
    let check = database.master_key_check().await.map_err(|error| failed("read", &error))?;
    let sealed = database.signing_keys().await.map_err(|error| failed("read", &error))?;
    let is_empty = check.is_none() && sealed.is_empty();
    let master_keys = master_keys(settings, database.dialect(), is_empty, &random)?;
    judge(&master_keys, check.as_deref(), &sealed)?;
    let imports = private_keys(&settings.folder, rules.rsa())?;

    let records = Records { rules, database, clock, random, master_keys };
    seal_again(&records, &sealed).await?;
    put_check(&records, check.as_deref()).await?;
    let started = records.clock.now();
    let list = first_change(&records, imports).await?;
    let OpenedKeys { ring, unopened } =
        Ring::open(&list, &records.master_keys, None).map_err(|error| failed("opened", &error))?;
    if unopened.is_empty() {
        Ok(Keyring::new(records, ring, started))
    } else {
        Err(wrong_key(&records.master_keys, &unopened))
    }
}

fn master_keys(
    settings: &config::Keys,
    dialect: Dialect,
    is_empty: bool,
    random: &Random,
) -> Result<MasterKeys, OpenError> {
    if let Some(found) = MasterKeys::find(settings)? {
        return Ok(found);
    }
    match (is_empty, dialect) {
        (true, Dialect::Sqlite) => MasterKeys::make(settings, random),
        (true, Dialect::Postgres) => Err(MasterKeys::missing(
            settings,
            "With PostgreSQL it is not made by itself, for all instances need the same one: run `tokenhouse keys master` \
             once and give the file that it writes to every instance, with mode 0600, or what is in it as that variable",
        )),
        (false, Dialect::Sqlite | Dialect::Postgres) => Err(MasterKeys::missing(
            settings,
            "The keys in the database are sealed under it: restore it from a backup, as that file with mode 0600 or as that \
             variable",
        )),
    }
}

/// Refuses a master key that is not the one of the database.
fn judge(master_keys: &MasterKeys, check: Option<&[u8]>, list: &[SigningKeyRecord]) -> Result<(), OpenError> {
    if check.is_some_and(|check| master_keys.of_check(check).is_none()) {
        return Err(OpenError(format!(
            "the master key in {} is not the one that the database is sealed under: restore that one from a backup, or, when \
             you are changing it, give it as TOKENHOUSE_MASTER_KEY_PREVIOUS",
            master_keys.origins()
        )));
    }
    let closed = list.iter().filter(|record| record.state != KeyState::Removed && master_keys.open(record).is_none());
    let kids: Vec<String> = closed.map(|record| record.kid.clone()).collect();
    if kids.is_empty() { Ok(()) } else { Err(wrong_key(master_keys, &kids)) }
}

fn wrong_key(master_keys: &MasterKeys, kids: &[String]) -> OpenError {
    OpenError(format!(
        "the master key in {} does not open the signing key {}: it was sealed under another one (give that as \
         TOKENHOUSE_MASTER_KEY_PREVIOUS), or its row in the database is damaged (restore it from a backup)",
        master_keys.origins(),
        kids.join(", "),
    ))
}

/// Seals again, under the current master key, the keys that only the previous one opens.
async fn seal_again(records: &Records, list: &[SigningKeyRecord]) -> Result<(), OpenError> {
    let current = &records.master_keys.current.seal;
    let is_old = |record: &SigningKeyRecord| {
        record.state != KeyState::Removed && current.open(&record.kid, &record.sealed).is_none()
    };
    if !list.iter().any(is_old) {
        return Ok(());
    }
    let anew = |record: &SigningKeyRecord| {
        let pkcs8 = records.master_keys.open(record)?;
        let sealed = current.close(&record.kid, &pkcs8, &records.random).ok()?;
        Some(KeyChange::Update(SigningKeyRecord { sealed, ..record.clone() }))
    };
    let decide = |list: &[SigningKeyRecord]| KeyringChange {
        changes: list.iter().filter(|record| is_old(record)).filter_map(anew).collect(),
        entries: Vec::new(),
    };
    records.database.change_keyring(decide).await.map_err(|error| failed("changed", &error))?;
    tracing::info!("sealed the signing keys under the new master key");
    Ok(())
}

/// Writes the check value of the current master key, unless it is there. Another instance may be doing the same.
async fn put_check(records: &Records, known: Option<&[u8]>) -> Result<(), OpenError> {
    let current = &records.master_keys.current;
    if known.is_some_and(|check| current.has_check(check)) {
        return Ok(());
    }
    let failed = |error| failed("changed", &error);
    if records.database.set_master_key_check(known, current.check()).await.map_err(failed)? {
        return Ok(());
    }
    let now = records.database.master_key_check().await.map_err(failed)?.unwrap_or_default();
    if current.has_check(&now) {
        return Ok(());
    }
    Err(OpenError(format!(
        "another instance has just started on the same database with another master key than the one in {}: give all of them \
         the same",
        records.master_keys.origins()
    )))
}

/// Imports the keys of the folder and ensures that every configured algorithm has an active key.
async fn first_change(records: &Records, imports: Vec<PrivateKey>) -> Result<Vec<SigningKeyRecord>, OpenError> {
    let mut rows = Vec::with_capacity(imports.len());
    for key in &imports {
        rows.push(records.sealed(key).await.map_err(|error| failed("read", &error))?);
    }
    let step = |draft: &mut Draft<'_>| {
        let entries: Vec<_> = rows.iter().map(|row| (row.kid.clone(), draft.import(row.clone()))).collect();
        if draft.lacks_signer() {
            draft.fill_all();
        }
        entries
    };
    let (entries, list) = records.change(Actor::System, step).await.map_err(|error| failed("changed", &error))?;
    for (kid, entry) in entries {
        match entry {
            Entry::New => tracing::info!(kid, "imported a signing key from a PEM file"),
            Entry::Known => {}
            Entry::Removed => {
                tracing::warn!(kid, "left a PEM file alone: its key was removed and is never taken again");
            }
        }
    }
    Ok(list)
}

/// Reads the keys of the folder's PEM files, or returns everything that is wrong with them.
fn private_keys(folder: &Path, rsa: SigningAlgorithm) -> Result<Vec<PrivateKey>, OpenError> {
    let mut keys = Vec::new();
    let mut problems = Vec::new();
    for path in files::pem_files(folder)? {
        match private_key(&path, rsa) {
            Ok(key) => keys.extend(key),
            Err(OpenError(problem)) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(keys) } else { Err(OpenError(problems.join("\n"))) }
}

fn private_key(path: &Path, rsa: SigningAlgorithm) -> Result<Option<PrivateKey>, OpenError> {
    match files::read(path)? {
        // The file was removed after the folder was listed.
        None => Ok(None),
        Some(text) => import::parse(&text, rsa).map(Some).map_err(|refusal| files::problem(path, &refusal)),
    }
}

fn failed(done: &str, error: &(dyn Error + 'static)) -> OpenError {
    let causes: Vec<String> =
        std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect();
    OpenError(format!("the keyring cannot be {done}: {}", causes.join(": ")))
}

//! Apache httpd with `mod_auth_openidc`, by the recipe in `docs/recipes/apache.md`: the files of the recipe as they
//! stand, with this machine's addresses and folders put in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use test_support::provider::Provider;

use crate::provider::{SECRET, sign_in, with_user};
use crate::support::browser::Browser;
use crate::support::packages::program;
use crate::support::{free_port, skipped};

/// Two hosts need two addresses: cookies know no ports.
const HOSTS: [(&str, &str); 2] = [("notes", "127.0.0.2"), ("photos", "127.0.0.3")];

#[actix_web::test]
async fn two_virtual_hosts_of_apache_share_one_sign_in_and_one_sign_out() {
    let (apache, modules) = match find() {
        Ok(found) => found,
        Err(why) => return skipped(&why),
    };
    let server = with_user();
    let server = Apache::start(&apache, &modules, &server);
    let mut browser = Browser::new();
    let [notes, photos] = [server.url("notes"), server.url("photos")];

    let page = browser.open(&notes).await;
    assert!(page.has("password"), "{page:?}");
    let page = sign_in(&mut browser, page).await;
    assert_eq!((page.url.as_str(), page.html.as_str()), (notes.as_str(), "inside notes for ada\n"), "{}", server.log());

    let page = browser.open(&photos).await;
    assert_eq!(page.html, "inside photos for ada\n", "no password, no consent: {}", server.log());

    let page = browser.open(format!("{notes}oidc?logout={notes}bye.html")).await;
    assert_eq!(page.html, "bye\n", "{page:?} {}", server.log());
    for host in [&notes, &photos] {
        wait_for_logout(&mut browser, host, &server).await;
    }
}

/// The back-channel logout comes a moment after the browser; and again ten seconds later, where Apache has not answered
/// within two.
async fn wait_for_logout(browser: &mut Browser, host: &str, server: &Apache) {
    for _ in 0..600 {
        if browser.open(host).await.has("password") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("still signed in at {host}: {}", server.log());
}

/// The program and the folder of its modules (as Debian has them).
fn find() -> Result<(PathBuf, PathBuf), String> {
    let apache = program(&["apache2", "httpd"]).ok_or("Apache httpd is not installed")?;
    let folders = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules"].map(PathBuf::from);
    let modules = folders.into_iter().find(|folder| folder.join("mod_auth_openidc.so").exists());
    Ok((apache, modules.ok_or("Apache's mod_auth_openidc is not installed")?))
}

struct Apache {
    process: Child,
    folder: PathBuf,
    port: u16,
}

impl Apache {
    fn start(program: &Path, modules: &Path, server: &Provider) -> Self {
        let folder = server.workplace.path("apache");
        fs::create_dir(&folder).unwrap();
        // Apache gives up root, and reads its pages as another user.
        for position in [folder.parent().unwrap(), &folder] {
            fs::set_permissions(position, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let port = free_port();
        let mut configuration = vec![main_configuration(&folder, modules)];
        for (name, address) in HOSTS {
            let host = format!("http://{address}:{port}");
            register(server, name, &host);
            server.workplace.write(&format!("apache/{name}/index.html"), INSIDE.replace("NAME", name).as_str());
            server.workplace.write(&format!("apache/{name}/bye.html"), "bye\n");
            let secrets = format!("OIDCClientSecret {SECRET}\nOIDCCryptoPassphrase 0123456789abcdef0123456789abcdef\n");
            server.workplace.write(&format!("apache/secrets/{name}.conf"), &secrets);
            let here = [
                ("*:443".to_owned(), format!("{address}:{port}")),
                ("https://id.example.com".to_owned(), server.issuer()),
                (format!("https://{name}.example.com"), host),
                ("/etc/apache2".to_owned(), folder.display().to_string()),
                ("/srv".to_owned(), folder.display().to_string()),
            ];
            configuration.push(format!("Listen {address}:{port}\n{}", recipe(name, &here)));
        }
        let file = server.workplace.write("apache/httpd.conf", &configuration.concat());
        let mut command = Command::new(program);
        command.arg("-f").arg(file).args(["-D", "FOREGROUND"]).stdin(Stdio::null());
        let mut server = Self { process: command.spawn().unwrap(), folder, port };
        server.wait_until_it_listens();
        server
    }

    fn url(&self, name: &str) -> String {
        let (_, address) = HOSTS.iter().find(|(known, _)| *known == name).unwrap();
        format!("http://{address}:{}/", self.port)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("error.log")).unwrap_or_default()
    }

    fn wait_until_it_listens(&mut self) {
        for _ in 0..500 {
            if std::net::TcpStream::connect((HOSTS[1].1, self.port)).is_ok() {
                return;
            }
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("Apache ended with {status}: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("Apache does not listen: {}", self.log());
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        // Asked, not killed, so that it ends its workers.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

const INSIDE: &str = "inside NAME for <!--#echo var=\"REMOTE_USER\" -->\n";

fn main_configuration(folder: &Path, modules: &Path) -> String {
    let names = ["mpm_event", "authn_core", "authz_core", "authz_user", "auth_openidc", "dir", "include", "mime"];
    let present = names.iter().map(|name| (name, modules.join(format!("mod_{name}.so"))));
    let lines: Vec<String> = present
        .filter(|(_, file)| file.exists())
        .map(|(name, file)| format!("LoadModule {name}_module {}\n", file.display()))
        .collect();
    let folder = folder.display();
    format!(
        "{}ServerRoot {folder}
ServerName localhost
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
TypesConfig /dev/null
AddType text/html .html
AddOutputFilter INCLUDES .html
DirectoryIndex index.html
<IfModule unixd_module>
User {user}
Group {user}
</IfModule>
<Directory {folder}>
Options +Includes
</Directory>
",
        lines.concat(),
        user = "www-data",
    )
}

/// The file of the recipe, without TLS.
fn recipe(name: &str, here: &[(String, String)]) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/recipes/apache/{name}.conf"));
    let mut text = fs::read_to_string(file).unwrap();
    for (there, here) in here {
        text = text.replace(there, here);
    }
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().starts_with("SSL")).collect();
    lines.join("\n") + "\n"
}

/// As the recipe says.
fn register(server: &Provider, name: &str, host: &str) {
    let id = format!("apache-{name}");
    let callback = format!("{host}/oidc");
    let (bye, notice) = (format!("{host}/bye.html"), format!("{host}/oidc?logout=backchannel"));
    let arguments = [
        id.as_str(),
        "--trusted",
        "--grant",
        "authorization_code",
        "--scope",
        "openid profile email",
        "--redirect-uri",
        &callback,
        "--post-logout-redirect-uri",
        &bye,
        "--backchannel-logout-uri",
        &notice,
    ];
    server.add_client(&arguments, SECRET);
}

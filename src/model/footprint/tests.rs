//! Commands and what they touch, as a table.

use super::{Area, Fetch, Footprint, Region, Variables, of_command, of_dependencies, scripts_read};
use crate::ecosystems::Dependencies;
use crate::ecosystems::testing::{Files, in_project};
use crate::model::{Model, Ran, surroundings};
use crate::syntax::parse;

/// The footprint of each command of a RUN that runs in /app on debian.
fn each<T>(script: &str, files: &Files, show: impl Fn(&Ran, Footprint) -> T) -> Vec<T> {
    below(&format!("FROM debian:12\nENV A=one\nWORKDIR /app\nRUN {script}\n"), files, show)
}

fn below<T>(text: &str, files: &Files, show: impl Fn(&Ran, Footprint) -> T) -> Vec<T> {
    let dockerfile = parse(text);
    let model = Model::of(&dockerfile);
    let stage = model.stages.last().unwrap();
    let step = stage.steps.last().unwrap();
    let commands = step.run.as_ref().unwrap().everything(&step.state);
    let footprint = |ran: &Ran| {
        let mut at = surroundings(&stage.image, &step.state, ran, &[]);
        at.workdir = ran.folder.clone();
        of_command(ran, &at, files)
    };
    commands.iter().map(|ran| show(ran, footprint(ran))).collect()
}

fn whole(script: &str, files: &Files) -> Footprint {
    let mut all = Footprint::default();
    each(script, files, |_, footprint| footprint).into_iter().for_each(|one| all.add(one));
    all
}

/// `/a` for a place, `/a/**` for a folder with all in it, `system`, or `!` with the reason.
fn shown(region: &Region) -> String {
    if let Some(why) = &region.anything {
        return format!("!{why}");
    }
    let mut parts: Vec<String> = region
        .areas
        .iter()
        .map(|area| match area {
            Area::At(path) => path.clone(),
            Area::Below(path) => format!("{path}/**"),
        })
        .collect();
    parts.extend(region.system.then(|| "system".to_owned()));
    parts.join(" ")
}

fn none() -> Files {
    Files::new(&[])
}

/// `command => reads > writes`, with `-` for nothing.
#[track_caller]
fn check(table: &str, files: &Files) {
    let dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let mut wrong = String::new();
    let lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
    for line in lines {
        let (command, wanted) = line.split_once(" => ").unwrap();
        let footprint = whole(command, files);
        let got = format!("{} > {}", dash(shown(&footprint.reads)), dash(shown(&footprint.writes)));
        if got != wanted {
            wrong.push_str(&format!("{command}\n  wanted {wanted}\n  got    {got}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn files_are_made_changed_and_removed() {
    check(
        r#"
        mkdir x => /app/x > /app/x
        mkdir -p /a/b/c => - > /a/b /a /a/b/c
        mkdir -p -m 755 /opt/x/{y,z} /var/log => - > /opt/x /opt/x/y /opt/x/z /opt/x/{y,z} /var/log
        touch logs/app.log => /app/logs/app.log /app/logs > /app/logs/app.log
        rm -rf /tmp/* ./build => - > /tmp/** /app/build/**
        rm config.yml => /app/config.yml > /app/config.yml
        cp a.conf /etc/nginx/nginx.conf => /app/a.conf /etc/nginx /etc/nginx/nginx.conf > /etc/nginx/nginx.conf /etc/nginx/nginx.conf/a.conf
        cp -r conf /etc/app/ => /app/conf/** /etc/app > /etc/app/conf/**
        cp -a dist/. /srv/www => /app/dist/** /srv/www > /srv/www/**
        cp a b /opt => /app/a /app/b > /opt/a /opt/b
        mv a /opt/x/b => /app/a/** /opt/x /opt/x/b > /app/a/** /opt/x/b/**
        ln -s /app/bin/x /usr/local/bin/x => /usr/local/bin/x > /usr/local/bin/x/** /usr/local/bin/x/x/**
        ln -snf /usr/share/zoneinfo/$TZ /etc/localtime => - > /etc/localtime/**
        install -d -o app /opt/data => - > /opt/data
        install -m 755 tool /usr/local/bin => /app/tool > /usr/local/bin /usr/local/bin/tool
        install -D x.conf /opt/c/x.conf => /app/x.conf /opt/c /opt/c/x.conf > /opt/c/x.conf /opt/c /opt/c/x.conf/x.conf
        chmod +x entrypoint.sh => /app/entrypoint.sh > /app/entrypoint.sh
        chmod -R 777 /opt/x => /opt/x/** > /opt/x/**
        chmod -x a => /app/a > /app/a
        chown -R app:app /home/app => /etc/passwd /etc/group /home/app/** > /home/app/**
        echo hi > /etc/motd => - > /etc/motd
        echo hi >> notes.txt => - > /app/notes.txt
        cat < a.txt > b.txt => /app/a.txt > /app/b.txt
        tee -a x.log => - > /app/x.log
        dd if=/dev/zero of=/swap bs=1 => - > /swap
        mktemp -d => - > /tmp/**
        rm -rf $UNKNOWN => !`rm` may touch anything: what $UNKNOWN stands for is not known > !`rm` may touch anything: what $UNKNOWN stands for is not known
        rm -rf /opt/x-$UNKNOWN => - > /opt/**
        cp --weird a b => !`cp` may touch anything: its option --weird is not known here > !`cp` may touch anything: its option --weird is not known here
        echo x > $(cat name) => !`echo` may touch anything: the name of a file behind `<` or `>` is not known > !`echo` may touch anything: the name of a file behind `<` or `>` is not known
        echo x > /opt/y-$(uname -m).txt => - > /opt/**
        find . -name '*.pyc' -delete => /app/** > /app/**
        find /opt -type f -exec chmod 644 {} + => /opt/** > /opt/**
        find /opt -name x -exec rm -rf {} \; => /opt/** > /opt/**
        find . -exec make {} \; => !`make` may touch anything > !`make` may touch anything
        find /opt -name x -print0 | xargs -0 rm -f => /opt/** > /opt/**
        cat list | xargs rm => !`rm` may touch anything: what the input of `xargs` stands for is not known > !`rm` may touch anything: what the input of `xargs` stands for is not known
        find /opt -name x | xargs -I F cp F /srv/y/ => /opt/** /srv/y > /srv/y/**
        xargs -a list.txt rm -f => !`rm` may touch anything: what the input of `xargs` stands for is not known > !`rm` may touch anything: what the input of `xargs` stands for is not known
        patch -p1 < fix.patch => /app/fix.patch /app/** system > /app/**
        rsync -a src/ /srv/x => /app/src/** /srv/x/** system > /srv/x/**
        sed -f script.sed x => !`sed` may touch anything: its script is in a file > !`sed` may touch anything: its script is in a file
        echo a b | xargs -n1 mkdir => /app/a /app/b > /app/a /app/b
        "#,
        &none(),
    );
}

#[test]
fn folders_are_followed() {
    check(
        r#"
        cd x && touch a => /app/x /app/x/a > /app/x/a
        cd /opt; cd x; touch a; cd -; touch b => /opt/x /opt/x/a /opt/b > /opt/x/a /opt/b
        (cd /opt && touch a); touch b => /opt/a /app/b > /opt/a /app/b
        cd /opt | touch a; touch b => /app/a /app/b > /app/a /app/b
        if true; then cd /opt; touch a; fi; touch b => !`touch` may touch anything: the folder in which it runs is not known > !`touch` may touch anything: the folder in which it runs is not known
        cd /opt || exit 1; touch a => /opt/a > /opt/a
        cd /opt || true; touch a => !`touch` may touch anything: the folder in which it runs is not known > !`touch` may touch anything: the folder in which it runs is not known
        cd /opt && touch a || echo no => /opt/a > /opt/a
        [ -d /opt/x ] && cd /opt/x; touch a => !`touch` may touch anything: the folder in which it runs is not known > !`touch` may touch anything: the folder in which it runs is not known
        mkdir -p /opt/x && cd /opt/x; touch a => /opt/x /opt/x/a > /opt/x /opt/x/a
        for d in a b; do cd $d; touch x; done => !`cd` may touch anything: the folder in which it runs is not known > !`cd` may touch anything: the folder in which it runs is not known
        for d in a b; do (cd /opt && touch x); done; touch y => /opt/x /app/y > /opt/x /app/y
        pushd /opt && touch a && popd && touch b => /opt/a /app/b > /opt/a /app/b
        cd && touch a => /root/a > /root/a
        cd "$A" && touch a => /app/one /app/one/a > /app/one/a
        cd "$NOBODY" && touch a => !`cd` may touch anything: what "$NOBODY" stands for is not known > !`cd` may touch anything: what "$NOBODY" stands for is not known
        sh -c 'cd /opt && touch a' && touch b => /opt/a /app/b > /opt/a /app/b
        env -C /opt touch a => !`touch` may touch anything: the folder in which it runs is not known > !`touch` may touch anything: the folder in which it runs is not known
        f() { cd /opt; }; f; touch a => !`touch` may touch anything: the folder in which it runs is not known > !`touch` may touch anything: the folder in which it runs is not known
        f() { g; }; g() { cd /opt; }; f; touch a => !`touch` may touch anything: the folder in which it runs is not known > !`touch` may touch anything: the folder in which it runs is not known
        f() { (cd /opt); }; f; touch a => /app/a > /app/a
        if [[ -f /app/x ]]; then touch y; fi => /app/x /app/y > /app/y
        cd x && { cd y; } && touch a => /app/x /app/x/y /app/x/y/a > /app/x/y/a
        cd /opt & touch a => /app/a > /app/a
        cd /opt && (cd x && touch a) && touch b => /opt/x /opt/x/a /opt/b > /opt/x/a /opt/b
        case $A in one) cd /opt;; esac; touch a => !`touch` may touch anything: the folder in which it runs is not known > !`touch` may touch anything: the folder in which it runs is not known
        export X=/opt/x && cd $X && touch a => /opt/x /opt/x/a > /opt/x/a
        f() { touch b; }; f; touch a => /app/b /app/a > /app/b /app/a
        cd "$(pwd)/sub" && touch a => /app/sub /app/sub/a > /app/sub/a
        cd $(mktemp -d) && touch a => /tmp/tmp.XXXXXXXXXX /tmp/tmp.XXXXXXXXXX/a > /tmp/** /tmp/tmp.XXXXXXXXXX/a
        { cd /opt; touch a; } > log; touch b => /opt/a /opt/b > /app/log /opt/a /opt/b
        while read l; do touch $l; done < list => !`touch` may touch anything: what $l stands for is not known > !`touch` may touch anything: what $l stands for is not known
        V=$(cat VERSION) && mkdir /opt/$V => /app/VERSION /opt/** > /opt/**
        $TOOL run => !`$TOOL` may touch anything: its name is not known > !`$TOOL` may touch anything: its name is not known
        "#,
        &none(),
    );
}

#[test]
fn programs_of_all_kinds() {
    check(
        r#"
        sed -i 's/a/b/' x.conf => /app/x.conf > /app/x.conf
        sed -i.bak -e s/a/b/ /etc/x => /etc/x > /etc/x /etc/x.bak
        sed 's/a/b/w out' x => !`sed` may touch anything: its script 's/a/b/w out' may name files > !`sed` may touch anything: its script 's/a/b/w out' may name files
        sed -n '/x/p' y => /app/y > -
        awk '{print $1}' file => /app/file > -
        awk '{print > "x"}' file => !`awk` may touch anything: its program may name files > !`awk` may touch anything: its program may name files
        grep -rq foo src => /app/src/** > -
        grep foo a.txt => /app/a.txt > -
        [ -f package.json ] => /app/package.json/** > -
        sort -u -o out in => /app/in > /app/out
        tar -xzf /tmp/a.tgz -C /opt --strip-components=1 => /tmp/a.tgz > /opt/**
        tar xzf a.tgz => /app/a.tgz > /app/**
        tar -C /usr/local/bin -xzf - docker => - > /usr/local/bin/docker/**
        tar czf /tmp/a.tgz src => /app/src/** > /tmp/a.tgz
        unzip -q a.zip -d /opt/a => /app/a.zip system > /opt/a/**
        gunzip data.gz => /app/data.gz > /app/data.gz /app/data.gz.gz /app/data /app/data.gz.bz2 /app/data.gz.xz /app/data.gz.zst /app/data.gz.lzma /app/data.gz.tgz
        curl -fsSL https://x.org/v1.2.3/a.tgz -o /tmp/a.tgz => /root/.curlrc /root/.netrc system > /tmp/a.tgz
        curl -fsSLO https://x.org/v1.2.3/a.tgz => /root/.curlrc /root/.netrc system > /app/a.tgz
        curl -LsSf https://astral.sh/uv/install.sh | sh => /root/.curlrc /root/.netrc /root/.profile /root/.bashrc /root/.bash_profile /root/.bash_login /root/.zshrc /root/.zshenv /root/.local/bin/** /root/.config/uv/** /root/.config/fish/** system > /root/.profile /root/.bashrc /root/.bash_profile /root/.bash_login /root/.zshrc /root/.zshenv /root/.local/bin/** /root/.config/uv/** /root/.config/fish/**
        curl -LsSf https://astral.sh/uv/0.12.0/install.sh | env UV_INSTALL_DIR=/opt/uv sh => /root/.curlrc /root/.netrc /root/.profile /root/.bashrc /root/.bash_profile /root/.bash_login /root/.zshrc /root/.zshenv /opt/uv/** /root/.config/uv/** /root/.config/fish/** system > /root/.profile /root/.bashrc /root/.bash_profile /root/.bash_login /root/.zshrc /root/.zshenv /opt/uv/** /root/.config/uv/** /root/.config/fish/**
        curl https://x.org/install.sh | sh => !`sh` may touch anything: `curl … | sh` runs what it is handed > !`sh` may touch anything: `curl … | sh` runs what it is handed
        curl -sL https://x.org/v1.2.3/a.tgz | tar xz -C /opt => /root/.curlrc /root/.netrc system > /opt/**
        wget -q https://x.org/1.2/a.zip => /root/.wgetrc /root/.netrc system > /app/a.zip
        wget -qO- https://x.org/key.asc | apt-key add - => /root/.wgetrc /root/.netrc system > system
        wget -P /opt/x https://x.org/1.2/a.zip => /root/.wgetrc /root/.netrc /opt/x system > /opt/x /opt/x/a.zip
        echo "abc  a.tgz" | sha256sum -c - => /app/a.tgz > -
        git clone --depth 1 -b v1.2 https://github.com/a/b.git /opt/b => /root/.gitconfig /root/.git-credentials /root/.netrc /root/.ssh/** /opt/b/** system > /opt/b/**
        git clone https://github.com/a/b.git && cd b && git checkout 4f2b1c9 => /root/.gitconfig /root/.git-credentials /root/.netrc /root/.ssh/** /app/b/** /app/b system > /app/b/**
        git config --global user.name x => /root/.gitconfig /root/.git-credentials /root/.netrc /root/.ssh/** system > /root/.gitconfig
        git rev-parse HEAD => /root/.gitconfig /root/.git-credentials /root/.netrc /root/.ssh/** /app/** system > -
        useradd -m -d /srv/app -u 1000 app => system > /srv/app /srv/app/** system
        adduser -D app => system > /home/app /home/app/** system
        adduser --disabled-password --gecos '' app => system > /home/app /home/app/** system
        groupadd -r app && useradd -r -g app --no-create-home app => system > system
        usermod -u 1000 www-data => /var/www/** system > /var/www/** system
        python -m venv /opt/env => /opt/env/** system > /opt/env /opt/env/**
        python setup.py install => !`python` may touch anything: setup.py is a Python program > !`python` may touch anything: setup.py is a Python program
        python3 --version => system > -
        dpkg -i /tmp/a.deb => /tmp/a.deb/** system > system
        ldconfig => system > system
        update-ca-certificates => /usr/local/share/ca-certificates/** system > system
        a2enmod rewrite => system > system
        docker-php-ext-install pdo => /usr/src/php/** /usr/src/php.tar.xz/** system > /usr/src/php/** /usr/src/php.tar.xz/** system
        make => !`make` may touch anything > !`make` may touch anything
        ./configure => !`configure` may touch anything: ./configure is not from the build context > !`configure` may touch anything: ./configure is not from the build context
        service nginx start => !`service` may touch anything > !`service` may touch anything
        . /opt/env/bin/activate && true => /opt/env/** > -
        bash -c "mkdir x" => /app/x > /app/x
        sudo mkdir x => /app/x > /app/x
        frobnicate --version => system > -
        openssl req -x509 -keyout k.pem -out c.pem -subj "/C=DE" => system > /app/k.pem /app/c.pem
        gpg --dearmor -o /usr/share/keyrings/x.gpg => /root/.gnupg/** /usr/share/keyrings system > /root/.gnupg/** /usr/share/keyrings/x.gpg
        setcap cap_net_bind_service=+ep /usr/bin/node => /usr/bin/node system > /usr/bin/node
        printenv => - > -
        "#,
        &none(),
    );
}

fn scripted() -> Files {
    Files::new(&[
        ("setup.sh", "#!/bin/sh\nset -e\nmkdir -p /opt/x\ncd \"$(dirname \"$0\")\"\n. scripts/env.sh\ncat > conf.ini <<EOF\na=$A\nEOF\n"),
        ("scripts/env.sh", "GREETING=hi\nexport GREETING\n"),
        ("scripts/args.sh", "#!/usr/bin/env bash\nset -euo pipefail\nD=\"${1:-/opt/none}\"\nfor f in \"$D\"/*; do rm -f \"$f\"; done\ntouch \"$D/${2}\"\n"),
        ("scripts/deep.sh", "#!/bin/bash\nHERE=\"$(cd \"$(dirname \"${BASH_SOURCE[0]}\")\" && pwd)\"\n\"$HERE/args.sh\" /srv/a b\nbash -x \"$HERE/../fn.sh\"\n"),
        ("fn.sh", "say() { echo \"$1\" > /opt/\"$1\"; }\nif [ -n \"$CI\" ]; then say ci; else say no; fi\n"),
        ("loop.sh", "#!/bin/sh\n./loop.sh\n"),
        ("moves.sh", "cd /opt\n"),
        ("paths.sh", "A=two\n"),
        ("build.py", "#!/usr/bin/env python3\nprint(1)\n"),
        ("build.sh", "#!/bin/sh\nmake all\n"),
        ("broken.sh", "#!/bin/sh\nif true; then\n"),
    ])
    .with_unreadable("blob.sh")
}

#[test]
fn scripts_of_the_project_are_read() {
    check(
        r#"
        ./setup.sh => /app/setup.sh /app/scripts/env.sh > /opt/x /app/conf.ini
        sh setup.sh => /app/setup.sh /app/scripts/env.sh > /opt/x /app/conf.ini
        bash -x scripts/args.sh /srv/x y => /app/scripts/args.sh /srv/x/y /srv/x > /srv/x/** /srv/x/y
        scripts/args.sh /srv/x => /app/scripts/args.sh /srv/x > /srv/x/** /srv/x
        ./scripts/deep.sh => /app/scripts/deep.sh /app/scripts /app/scripts/args.sh /srv/a/b /srv/a /app/fn.sh > /srv/a/** /srv/a/b /opt/**
        cd scripts && sh ../fn.sh => /app/scripts /app/fn.sh > /opt/**
        . ./scripts/env.sh && touch a => /app/scripts/env.sh /app/a > /app/a
        . ./moves.sh && touch a => !`.` changes the folder of the commands behind it > !`.` changes the folder of the commands behind it
        . ./paths.sh => !`.` sets A for the commands behind it > !`.` sets A for the commands behind it
        ./loop.sh => !/app/loop.sh: `loop.sh` may touch anything: scripts run scripts too deep > !/app/loop.sh: `loop.sh` may touch anything: scripts run scripts too deep
        ./build.py => !`build.py` may touch anything: ./build.py is a program for `python3` > !`build.py` may touch anything: ./build.py is a program for `python3`
        ./build.sh => !/app/build.sh: `make` may touch anything > !/app/build.sh: `make` may touch anything
        ./broken.sh => !`broken.sh` may touch anything: /app/broken.sh can't be read as shell: the text ends too early > !`broken.sh` may touch anything: /app/broken.sh can't be read as shell: the text ends too early
        ./blob.sh => !`blob.sh` may touch anything: ./blob.sh can't be read > !`blob.sh` may touch anything: ./blob.sh can't be read
        ./missing.sh => !`missing.sh` may touch anything: ./missing.sh is not from the build context > !`missing.sh` may touch anything: ./missing.sh is not from the build context
        sh -c './setup.sh' => /app/setup.sh /app/scripts/env.sh > /opt/x /app/conf.ini
        sh < setup.sh => !`sh` runs what it reads > !`sh` runs what it reads
        curl -s https://x.org/1.2/i.sh | sh -s -- -y => !`sh` may touch anything: `curl … | sh` runs what it is handed > !`sh` may touch anything: `curl … | sh` runs what it is handed
        "#,
        &scripted(),
    );
}

#[test]
fn scripts_are_named_with_those_that_they_run() {
    let files = |script: &str| {
        let mut files = below(&format!("FROM debian:12\nWORKDIR /app\nRUN {script}\n"), &scripted(), |ran, _| {
            let mut at = in_project("debian:12");
            at.workdir = ran.folder.clone();
            scripts_read(ran, &at, &scripted())
        })
        .concat();
        // The text of `bash -c` is seen as a whole and command by command.
        files.dedup();
        files
    };
    assert_eq!(files("./scripts/deep.sh"), ["/app/scripts/deep.sh", "/app/scripts/args.sh", "/app/fn.sh"]);
    assert_eq!(files("cd scripts && sh -e ./args.sh"), ["/app/scripts/args.sh"]);
    assert_eq!(files("bash -c '. scripts/env.sh'"), ["/app/scripts/env.sh"]);
    assert_eq!(files("./loop.sh"), ["/app/loop.sh"]);
    assert!(files("make && cat setup.sh && ./build.py").is_empty());
}

#[test]
fn variables_are_those_that_the_words_name() {
    let named = |script: &str| match whole(script, &none()).variables {
        Variables::Named(names) => names.into_iter().collect::<Vec<_>>().join(" "),
        Variables::Tools(names) => ["tools".to_owned()].into_iter().chain(names).collect::<Vec<_>>().join(" "),
        Variables::All => "all".to_owned(),
    };
    assert_eq!(named("mkdir $A/${B:-$C}"), "A B C");
    assert_eq!(named("V=$COMMIT; echo $V > x"), "COMMIT V");
    assert_eq!(named("echo $(basename $D) > \"/x/$E\""), "D E");
    assert_eq!(named("for x in $LIST; do echo $x; done"), "LIST x");
    assert_eq!(named("printenv HOST"), "HOST");
    assert_eq!(named("curl -o x https://x.org/1.2/$F"), "tools F");
    assert_eq!(named("env > x"), "all");
    assert_eq!(named("make"), "all");
    // A value of the project's own is none of those that set up tools, and is named beside them.
    assert_eq!(named("curl -o x https://x.org/1.2/$GIT_COMMIT"), "tools GIT_COMMIT");
    assert_eq!(named("echo $GIT_COMMIT > x; curl -o y https://x.org/1.2/y"), "tools GIT_COMMIT");
}

#[test]
fn what_is_fetched_stays_or_moves() {
    let fetched = |script: &str| match whole(script, &none()).fetches {
        Fetch::Nothing => "nothing".to_owned(),
        Fetch::Fixed => "fixed".to_owned(),
        Fetch::Mutable(what) => what,
    };
    for fixed in [
        "curl -fsSLO https://x.org/v1.2.3/a.tgz",
        "curl -o a https://x.org/$VERSION/a",
        "wget -O a https://x.org/latest/a && echo \"abc  a\" | sha256sum -c",
        "git clone -b v2.1 https://x.org/a/b.git",
        "git clone https://x.org/a/b.git && cd b && git checkout $COMMIT",
        "apt-get update && apt-get install -y curl",
        "pip install git+https://x.org/a/b.git@v1.2",
    ] {
        assert_eq!(fetched(fixed), "fixed", "{fixed}");
    }
    for (script, what) in [
        ("curl -o a https://x.org/latest/a", "`curl https://x.org/latest/a`, which names no version"),
        ("git clone https://x.org/a/b.git", "`git clone https://x.org/a/b.git`, which names no version"),
        ("apt-get update && apt-get -y upgrade", "`apt-get upgrade`"),
        ("apk upgrade --no-cache", "`apk upgrade`"),
        ("dnf -y update", "`dnf update`"),
        ("pip install git+https://x.org/a/b.git", "git+https://x.org/a/b.git, which names no version"),
    ] {
        assert_eq!(fetched(script), what, "{script}");
    }
    assert_eq!(fetched("mkdir x"), "nothing");
}

#[test]
fn managers_touch_what_they_say_and_their_own_folders() {
    let dependencies = Dependencies {
        files: vec!["/app/package.json".to_owned()],
        makes: vec!["/app/node_modules".to_owned()],
        rewrites: vec!["/app/package-lock.json".to_owned()],
        ..Dependencies::default()
    };
    let install = |variables: &[(&str, Option<&str>)]| {
        let dockerfile = parse("FROM node:20\nWORKDIR /app\nRUN npm ci\n");
        let model = Model::of(&dockerfile);
        let step = model.stages[0].steps.last().unwrap();
        let ran = step.run.as_ref().unwrap().everything(&step.state)[0].clone();
        let mut at = in_project("node:20");
        let known = |value: &Option<&str>| value.map(str::to_owned).into();
        at.variables.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), known(value))));
        of_dependencies(&ran, &at, &none(), &dependencies)
    };
    let plain = install(&[]);
    assert!(plain.reads.holds("/app/package.json") && plain.writes.holds("/app/node_modules/x"));
    assert!(plain.writes.holds("/app/package-lock.json") && plain.writes.system && plain.reads.system);
    assert!(!plain.writes.holds("/app/package.json") && !plain.reads.holds("/app/src/index.js"));
    assert!(plain.writes.holds("/root/.npm/x") && plain.writes.anything.is_none());
    assert_eq!(plain.variables, Variables::Tools(std::collections::BTreeSet::new()));
    let path =
        install(&[("PATH", Some("/srv/env/bin:/app/node_modules/.bin:/usr/local/bin:$PATH")), ("PNPM_HOME", Some("/pnpm"))]);
    assert!(path.writes.holds("/srv/env/lib/x") && path.writes.holds("/pnpm/y") && !path.writes.holds("/app/src"));
    assert!(install(&[("PATH", None)]).writes.anything.is_some());
    assert!(install(&[("PNPM_HOME", None)]).writes.anything.is_some());
    assert!(install(&[("CARGO_HOME", None)]).writes.anything.is_none());
}

#[test]
fn a_managers_command_that_may_read_the_project_may_touch_anything() {
    let why = |script: &str| whole(script, &none()).reads.anything.unwrap_or_default();
    assert!(why("npm run build").starts_with("`npm` may read anything"), "{}", why("npm run build"));
    assert!(why("poetry run python x.py").contains("python"), "{}", why("poetry run python x.py"));
}

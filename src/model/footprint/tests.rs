//! Commands and what they touch, as a table.

use super::{Area, Fetch, Footprint, Region, Variables, of_command, scripts_read};
use crate::ecosystems::testing::Files;
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
        for d in a b; do cd $d; touch x; done => !`cd` may touch anything: what $d stands for is not known > !`cd` may touch anything: what $d stands for is not known
        for d in a b; do (cd /opt && touch x); done; touch y => /opt/x /app/y > /opt/x /app/y
        pushd /opt && touch a && popd && touch b => /opt/a /app/b > /opt/a /app/b
        cd && touch a => /root/a > /root/a
        cd "$A" && touch a => /app/one /app/one/a > /app/one/a
        cd "$NOBODY" && touch a => !`cd` may touch anything: what "$NOBODY" stands for is not known > !`cd` may touch anything: what "$NOBODY" stands for is not known
        sh -c 'cd /opt && touch a' && touch b => /opt/a /app/b > /opt/a /app/b
        env -C /opt touch a => !`touch` may touch anything: the folder in which it runs is not known > !`touch` may touch anything: the folder in which it runs is not known
        f() { cd /opt; }; f; touch a => !`touch` may touch anything: the folder in which it runs is not known > !`touch` may touch anything: the folder in which it runs is not known
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

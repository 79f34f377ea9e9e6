//! The pairs. `BASE` stands for an image with a shell, `TOKEN` for a word that no build before this one had.

/// A Dockerfile with its context, and changes, each made to the context as it is here.
pub struct Case {
    pub name: &'static str,
    pub dockerfile: &'static str,
    /// Path and content; `-> PATH` is a link.
    pub files: &'static [(&'static str, &'static str)],
    pub target: Option<&'static str>,
    pub changes: &'static [Changed],
}

/// A change of a context or of the arguments.
#[derive(Debug)]
pub enum Changed {
    Edited(&'static str),
    Added(&'static str),
    Deleted(&'static str),
    /// It becomes executable.
    Mode(&'static str),
    Relinked(&'static str, &'static str),
    /// Only its time.
    Touched(&'static str),
    /// Only its owner.
    Given(&'static str),
    /// `NAME=VALUE`.
    Argument(&'static str),
    Nothing,
}

use Changed::{Added, Argument, Deleted, Edited, Given, Mode, Nothing, Relinked, Touched};

const fn case(
    name: &'static str,
    dockerfile: &'static str,
    files: &'static [(&'static str, &'static str)],
    changes: &'static [Changed],
) -> Case {
    Case { name, dockerfile, files, target: None, changes }
}

const AB: &[(&str, &str)] = &[("a", "1"), ("b", "2"), ("src/x", "3"), ("src/y", "4"), ("src/deep/z", "5")];

pub const CASES: &[Case] = &[
    case(
        "order",
        "FROM BASE\nRUN echo TOKEN\nCOPY a /\nWORKDIR /w\nLABEL x=y\nRUN echo 2\nENV E=1\nCOPY b /\nEXPOSE 80\nCMD true\n",
        AB,
        &[Nothing, Edited("a"), Edited("b"), Edited("src/x"), Mode("a"), Touched("a"), Given("a")],
    ),
    case(
        "folders",
        "FROM BASE\nRUN echo TOKEN\nCOPY src/deep /d\nCOPY src /s\nCOPY . /all\n",
        AB,
        &[
            Edited("src/deep/z"),
            Edited("src/x"),
            Edited("a"),
            Added("src/new"),
            Added("new/file"),
            Deleted("src/y"),
            Mode("src/x"),
        ],
    ),
    case(
        "patterns",
        "FROM BASE\nRUN echo TOKEN\nCOPY *.txt /t/\nCOPY s?c/x /q/\nCOPY src/*/z /z/\nCOPY [a-b] /r/\n",
        &[("a", "1"), ("n.txt", "2"), ("src/x", "3"), ("src/deep/z", "4"), ("src/deep/w", "5"), ("sub/m.txt", "6")],
        &[
            Edited("n.txt"),
            Added("new.txt"),
            Edited("src/deep/z"),
            Edited("src/deep/w"),
            Added("b"),
            Edited("sub/m.txt"),
            Edited("src/x"),
        ],
    ),
    case(
        "ignored",
        "FROM BASE\nRUN echo TOKEN\nCOPY . /all\nRUN echo 2\n",
        &[
            (".dockerignore", "*.md\n!keep.md\ntmp\n**/cache\n.dockerignore\n"),
            ("a", "1"),
            ("n.md", "2"),
            ("keep.md", "3"),
            ("tmp/x", "4"),
            ("src/cache/y", "5"),
        ],
        &[
            Edited("n.md"),
            Edited("keep.md"),
            Edited("tmp/x"),
            Edited("src/cache/y"),
            Added("src/z"),
            Added("docs.md"),
            Edited("a"),
        ],
    ),
    case(
        "the Dockerfile is a file",
        "FROM BASE\nRUN echo TOKEN\nCOPY . /all\n",
        &[("Dockerfile", "1"), ("a", "2")],
        &[Edited("Dockerfile")],
    ),
    case(
        "the ignore file is a file",
        "FROM BASE\nRUN echo TOKEN\nCOPY . /all\n",
        &[(".dockerignore", "x\n"), ("a", "2")],
        &[Edited(".dockerignore")],
    ),
    case(
        "links",
        "FROM BASE\nRUN echo TOKEN\nCOPY tree /t\nCOPY link /l\nCOPY folder/x /f\n",
        &[
            ("a", "1"),
            ("b", "2"),
            ("tree/inner", "-> ../a"),
            ("link", "-> a"),
            ("folder", "-> src"),
            ("src/x", "3"),
            ("src/y", "4"),
        ],
        &[Edited("a"), Edited("src/x"), Edited("src/y"), Relinked("tree/inner", "../b"), Relinked("link", "b")],
    ),
    case(
        "heredocs",
        "FROM BASE\nRUN echo TOKEN\nCOPY <<E /e\nTOKEN a\nE\nCOPY <<E b /w/\nTOKEN\nE\nRUN <<E\necho 3\nE\n",
        AB,
        &[Edited("a"), Edited("b")],
    ),
    case(
        "stages",
        "FROM BASE AS base\nRUN echo TOKEN\nCOPY a /a\nFROM base AS mid\nRUN echo mid\nFROM BASE AS side\nRUN echo side TOKEN\nCOPY b /b\n\
         FROM mid\nRUN echo last\nCOPY --from=side /b /b\nRUN echo end\n",
        AB,
        &[Edited("a"), Edited("b"), Edited("src/x")],
    ),
    case(
        "stages that nobody needs",
        "FROM BASE AS unused\nRUN echo TOKEN unused\nCOPY a /a\nFROM BASE\nRUN echo TOKEN\nCOPY b /b\n",
        AB,
        &[Edited("a"), Edited("b")],
    ),
    Case {
        name: "a target in the middle",
        dockerfile: "FROM BASE AS one\nRUN echo TOKEN\nCOPY a /a\nFROM one AS two\nCOPY b /b\nFROM two\nRUN echo 3\n",
        files: AB,
        target: Some("two"),
        changes: &[Edited("a"), Edited("b")],
    },
    case(
        "content through copies",
        "FROM BASE AS s\nRUN echo TOKEN\nCOPY a /o/a\nCOPY src /o/src\nFROM BASE\nRUN echo last TOKEN\nCOPY --from=s /o/src /s\n\
         COPY --from=0 /o/a /a\n",
        AB,
        &[Edited("a"), Edited("src/deep/z"), Edited("b")],
    ),
    case(
        "content of other paths",
        "FROM BASE AS s\nRUN echo TOKEN\nCOPY . /o\nFROM BASE\nRUN echo last TOKEN\nCOPY --from=s /o/src/deep /d\nCOPY --from=s /o/a /\n",
        AB,
        &[Edited("b"), Edited("src/x"), Edited("src/deep/z"), Edited("a"), Added("src/deep/new")],
    ),
    // Left open: what a RUN makes may be the same again. Here it is the same, then another.
    case(
        "content of a RUN",
        "FROM BASE AS s\nRUN echo TOKEN\nCOPY a /a\nCOPY b /b\nRUN cp /b /out\nFROM BASE\nRUN echo last TOKEN\nCOPY --from=s /out /out\n",
        AB,
        &[Edited("a"), Edited("b")],
    ),
    case(
        "linked copies",
        "FROM BASE\nRUN echo TOKEN\nCOPY a /a/\nCOPY --link b /b/\nRUN echo 2\nCOPY --link src /s/\n",
        AB,
        &[Edited("a"), Edited("b"), Edited("src/x")],
    ),
    case(
        "bind mounts",
        "FROM BASE\nRUN echo TOKEN\nRUN --mount=type=bind,source=a,target=/m/a cat /m/a\nRUN --mount=source=src,target=/m,rw ls /m\nRUN --mount=target=/m ls\n",
        AB,
        &[Edited("a"), Edited("b"), Edited("src/x"), Touched("a")],
    ),
    case(
        "mounts from stages",
        "FROM BASE AS s\nRUN echo TOKEN\nCOPY a /p/a\nCOPY b /q/b\nFROM BASE\nRUN echo last TOKEN\nRUN --mount=from=s,source=/p,target=/m cat /m/a\n\
         RUN --mount=type=bind,from=s,source=/q,target=/m cat /m/b\n",
        AB,
        &[Edited("a"), Edited("b")],
    ),
    case(
        "cache mounts",
        "FROM BASE\nRUN --mount=type=cache,id=TOKEN,target=/c echo TOKEN >>/c/x\nCOPY a /\nRUN --mount=type=cache,id=TOKEN,target=/c echo 2 >>/c/x\n",
        AB,
        &[Nothing, Edited("a"), Edited("b")],
    ),
    case(
        "a cache that a stage fills",
        "FROM BASE AS s\nRUN echo TOKEN\nCOPY a /p/a\nFROM BASE\nRUN echo last TOKEN\nRUN --mount=type=cache,id=TOKEN,from=s,source=/p,target=/c ls /c\n",
        AB,
        &[Edited("a"), Edited("b")],
    ),
    case(
        "arguments",
        "FROM BASE\nRUN echo TOKEN\nCOPY a /\nARG V=1\nCOPY b /\nWORKDIR /w\nLABEL v=$V\nRUN echo does not name it\nCOPY src /s\n",
        AB,
        &[Argument("V=2"), Argument("W=2"), Argument("NO_PROXY=example.org"), Edited("a")],
    ),
    case(
        "an argument in a label",
        "FROM BASE\nRUN echo TOKEN\nCOPY a /\nARG V=1\nLABEL v=$V\nCOPY b /\n",
        AB,
        &[Argument("V=2")],
    ),
    case(
        "arguments and stages",
        "ARG G=1\nFROM BASE AS s\nARG V=1\nRUN echo TOKEN\nFROM s AS t\nRUN echo inherits\nFROM BASE AS u\nRUN echo TOKEN u\nARG G\nRUN echo 1\n\
         FROM t\nCOPY --from=u /etc/hostname /h\nRUN echo end\n",
        AB,
        &[Argument("V=2")],
    ),
    case("global arguments", "ARG G=1\nFROM BASE\nRUN echo TOKEN\nARG G\nRUN echo 1\n", AB, &[Argument("G=2"), Argument("H=2")]),
    case("a global argument that no stage takes", "ARG G=1\nFROM BASE\nARG H=$G\nRUN echo TOKEN\n", AB, &[Argument("H=2")]),
    case("an ENV behind an ARG", "FROM BASE\nARG V=1\nENV V=2\nRUN echo TOKEN\n", AB, &[Argument("V=3")]),
    case("an ARG behind an ENV", "FROM BASE\nENV V=2\nARG V=1\nRUN echo TOKEN\n", AB, &[Argument("V=3")]),
    case("an ENV made of an ARG", "FROM BASE\nARG V=1\nENV W=$V V=0\nCOPY a /\nRUN echo TOKEN\n", AB, &[Argument("V=3")]),
    case(
        "an ARG made of an ARG",
        "FROM BASE\nARG V=1\nARG W=x$V\nENV V=0\nRUN echo TOKEN\n",
        AB,
        &[Argument("V=3"), Argument("W=3")],
    ),
    case(
        "an argument in a copy",
        "FROM BASE\nRUN echo TOKEN\nARG V=a\nCOPY $V /v\nCOPY src/x /x\n",
        AB,
        &[Argument("V=b"), Edited("a"), Edited("b")],
    ),
    case("an argument as owner", "FROM BASE\nRUN echo TOKEN\nARG V=1\nCOPY a /\nCOPY --chown=$V b /\n", AB, &[Argument("V=2")]),
    case(
        "an argument in a heredoc",
        "FROM BASE\nRUN echo TOKEN\nARG V=1\nCOPY <<'E' /q\n$V\nE\nCOPY <<E /e\n$V\nE\nCOPY a /\n",
        AB,
        &[Argument("V=2")],
    ),
    case(
        "an argument in a work folder",
        "FROM BASE\nRUN echo TOKEN\nARG V=1\nCOPY a /\nWORKDIR /w$V\nCOPY b ./\n",
        AB,
        &[Argument("V=2"), Edited("a"), Edited("b")],
    ),
    case(
        "an argument as user",
        "FROM BASE\nRUN echo TOKEN\nARG V=1\nUSER $V\nCOPY a /\nWORKDIR /w\nCOPY b ./\n",
        AB,
        &[Argument("V=2")],
    ),
    case(
        "ONBUILD",
        "FROM BASE AS s\nRUN echo TOKEN\nONBUILD COPY a /a\nONBUILD RUN echo 1\nFROM s AS t\nRUN echo 2\nFROM t\nCOPY b /b\n",
        AB,
        &[Edited("a"), Edited("b")],
    ),
    case("ONBUILD for others", "FROM BASE\nRUN echo TOKEN\nONBUILD COPY a /a\nCOPY b /b\n", AB, &[Edited("a"), Edited("b")]),
    case(
        "exec form and SHELL",
        "FROM BASE\nSHELL [\"/bin/sh\", \"-ec\"]\nRUN echo TOKEN\nCOPY [\"a\", \"/\"]\nRUN [\"/bin/true\"]\n",
        AB,
        &[Edited("a"), Edited("b")],
    ),
    case("ADD", "FROM BASE\nRUN echo TOKEN\nADD a /\nADD src /s/\n", AB, &[Edited("a"), Edited("src/x"), Edited("b")]),
    case(
        "the root folder is no step",
        "FROM BASE\nRUN echo TOKEN\nWORKDIR /\nCOPY a .\nWORKDIR /x\nWORKDIR y\nCOPY b .\n",
        AB,
        &[Edited("a"), Edited("b")],
    ),
];

import humanize


def main() -> None:
    print("Hello", humanize.intcomma(1000000), "times")

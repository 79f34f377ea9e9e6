import idna


def main() -> None:
    print(idna.encode("grüße.example"))

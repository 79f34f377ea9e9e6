__version__ = "1.0"


def main():
    print("ours")

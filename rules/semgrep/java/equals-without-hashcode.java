// ruleid: java-equals-without-hashcode
class Point {
    final int x;

    @Override
    public boolean equals(Object other) {
        return other instanceof Point && ((Point) other).x == x;
    }
}

// ruleid: java-equals-without-hashcode
public class Name implements Comparable<Name> {
    public boolean equals(Object o) {
        return o instanceof Name;
    }

    public int compareTo(Name other) {
        return 0;
    }
}

// ok: java-equals-without-hashcode
class Complete {
    @Override
    public boolean equals(Object other) {
        return other instanceof Complete;
    }

    @Override
    public int hashCode() {
        return 1;
    }
}

// ok: java-equals-without-hashcode
class Overloaded {
    public boolean equals(Overloaded other) {
        return true;
    }
}

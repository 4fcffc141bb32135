class Point {
  constructor(x, y) {
    // ruleid: javascript-self-assignment
    this.x = this.x;
    // ok: javascript-self-assignment
    this.y = y;
  }
  move(x) {
    // ok: javascript-self-assignment
    this.x = this.x + x;
  }
  reset(other) {
    // ruleid: javascript-self-assignment
    this.y = this.y;
    // ok: javascript-self-assignment
    this.x = other.x;
  }
}

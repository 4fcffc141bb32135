export class Editor {
  constructor(api) {
    this.api = api;
    this.dirty = false;
  }

  async leave() {
    if (this.dirty) {
      this.api.save(this.text);
      this.dirty = false;
    }
    return true;
  }
}

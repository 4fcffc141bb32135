export class Editor {
  constructor(api) {
    this.api = api;
    this.dirty = false;
  }
}

class Shape:
    def area(self):
        # ruleid: python-raise-notimplemented
        raise NotImplemented

    def name(self):
        # ruleid: python-raise-notimplemented
        raise NotImplemented("name")

    def size(self):
        # ok: python-raise-notimplemented
        raise NotImplementedError

    def __eq__(self, other):
        # ok: python-raise-notimplemented
        return NotImplemented

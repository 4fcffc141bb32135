class Point:
    def __init__(self, x, y):
        # ruleid: python-self-assignment
        self.x = self.x
        # ok: python-self-assignment
        self.y = y

    def move(self, x):
        # ok: python-self-assignment
        self.x = self.x + x

    def reset(self, other):
        # ruleid: python-self-assignment
        self.y = self.y
        # ok: python-self-assignment
        self.x = other.x

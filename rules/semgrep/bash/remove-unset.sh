#!/bin/sh
# ruleid: bash-remove-unset
rm -rf "$BUILD_DIR"/*
# ruleid: bash-remove-unset
rm -rf $BUILD_DIR/
# ruleid: bash-remove-unset
rm -r -f "${PREFIX}/lib"
# ok: bash-remove-unset
rm -rf "${BUILD_DIR:?}"/*
# ok: bash-remove-unset
rm -rf "$BUILD_DIR"
# ok: bash-remove-unset
rm -rf "$PWD/build"
# ok: bash-remove-unset
rm -rf "$HOME/.cache/tool"

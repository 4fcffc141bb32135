#!/bin/sh
# ruleid: bash-remove-unset
rm -rf "$BUILD_DIR"/*
# ruleid: bash-remove-unset
rm -rf $BUILD_DIR/
# ok: bash-remove-unset
rm -rf "${BUILD_DIR:?}"/*
# ok: bash-remove-unset
rm -rf "$BUILD_DIR"

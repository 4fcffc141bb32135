#!/usr/bin/env bash
set -e
echo "cleaning"
rm -rf $BUILD_DIR/*

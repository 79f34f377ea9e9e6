<?php
namespace Lib;
class Hello {}

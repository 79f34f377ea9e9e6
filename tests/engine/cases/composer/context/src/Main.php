<?php
namespace App;
class Main {}

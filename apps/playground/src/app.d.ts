declare namespace App {}

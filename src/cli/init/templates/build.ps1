# Builds with BuildKit, also where it is not the engine's default.
#
#   ./build.ps1 [--no-cache] [--pull] [--detached]
#
#   --no-cache   run every step again
#   --pull       ask for newer base images
#   --detached   run in the background what was built
#
# PowerShell's own spelling (-NoCache, -Pull, -Detached) is understood, too.
$ErrorActionPreference = 'Stop'
Set-Location -Path $PSScriptRoot
$env:DOCKER_BUILDKIT = '1'
$env:COMPOSE_DOCKER_CLI_BUILD = '1'

$options = @()
$detached = $false
foreach ($option in $args) {
    switch -Regex ($option) {
        '^(--no-cache|-NoCache)$' { $options += '--no-cache' }
        '^(--pull|-Pull)$' { $options += '--pull' }
        '^(--detached|-Detached)$' { $detached = $true }
        default {
            [Console]::Error.WriteLine('usage: build.ps1 [--no-cache] [--pull] [--detached]')
            exit 2
        }
    }
}

@BUILD@
if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }

if ($detached) {
    @DETACHED@
    exit $LASTEXITCODE
}

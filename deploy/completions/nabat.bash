# nabat.bash -- completion of nabat's and nabat-prune's flags, as --help has them
_nabat() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=
    case $before in
    --env-file | --explain) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --project) words="list add set disable enable rotate" ;;
    --spool) words="list dump refused" ;;
    *) words=$("${COMP_WORDS[0]}" --help 2>/dev/null | grep -oE '^  --[a-z-]+') ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _nabat nabat nabat-prune
